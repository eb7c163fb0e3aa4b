"""dkim new, dkim show: signing keys and what must be published for them. A private key is written, never printed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.opening import settings_of
from newsletter.cli.output import emit, note, say
from newsletter.cli.writing import write_new
from newsletter.errors import ConfigError
from newsletter.mail.dkim import Algorithm, Key, Signer, new_key, record_name, zone_text
from newsletter.main import make_signers
from newsletter.settings import Settings
from newsletter.settings.sender import DkimKey


def register(app: typer.Typer) -> None:
    dkim = typer.Typer(
        help="Make a DKIM key; print the DNS records to publish.", no_args_is_help=True, rich_markup_mode=None
    )
    dkim.command("new")(new)
    dkim.command("show")(show)
    app.add_typer(dkim, name="dkim")


def new(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Option(help="Where the key is written; else where the settings name it.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="The domain it signs for; else the sender's.")] = None,
    selector: Annotated[str | None, typer.Option(help="Its name at that domain; else that of the settings.")] = None,
    second: Annotated[bool, typer.Option("--ed25519", help="A second signature, beside the RSA key.")] = False,
) -> None:
    """Make a key (RSA of 2048 bits, or Ed25519) and print the DNS record to publish. An existing key is never overwritten."""
    settings = settings_of(ctx)
    pem = new_key(Algorithm.ED25519 if second else Algorithm.RSA)
    key = _placed(settings, domain=domain, selector=selector, second=second)
    key = key.model_copy(update={"key_file": file}) if file is not None else key
    Signer(key.domain, key.selector, pem)  # names that cannot stand in the DNS are refused before anything is written
    key.key_file.parent.mkdir(parents=True, exist_ok=True)
    write_new(key.key_file, pem, mode=0o600)
    say(f"wrote {key.key_file}")
    _say_record(key.domain, key.selector, Key.read(pem))
    if key.key_file.resolve() not in [known.key_file.resolve() for known in settings.dkim_keys]:
        note(_wanted(settings, key, second=second))


def show(ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the DNS records of every key that the settings name."""
    signers = make_signers(settings_of(ctx))
    if not signers:
        raise ConfigError(
            "the settings name no DKIM key", where="dkim.key_file", hint="`newsletter dkim new` makes one"
        )
    keys = [(signer.domain, selector, key) for signer in signers.all for selector, key in signer.keys]
    if as_json:
        emit([_plain(*one) for one in keys])
        return
    for one in keys:
        _say_record(*one)


def _placed(settings: Settings, *, domain: str | None, selector: str | None, second: bool) -> DkimKey:
    """Where a new key belongs: at the place the settings name for its domain and selector, else beside the others."""
    domain = (domain or settings.sender.domain).lower().rstrip(".")
    selector = selector or settings.dkim.selector + ("-ed" if second else "")
    for key in settings.dkim_keys:
        if (key.domain, key.selector) == (domain, selector):
            return key
    main = (domain, selector) == (settings.sender.domain, settings.dkim.selector)
    name = "dkim.pem" if main else f"dkim-{domain}-{selector}.pem"
    return DkimKey(domain=domain, selector=selector, key_file=settings.data_dir / name)


def _say_record(domain: str, selector: str, key: Key) -> None:
    name = record_name(selector, domain)
    say(f"\n{name}: {key.algorithm}, {key.bits} bits. Publish this TXT record")
    say("in a zone file:")
    say(f"{name}. IN TXT {zone_text(key.record)}")
    say("or in a form of your DNS provider, as one text:")
    say(key.record)


def _plain(domain: str, selector: str, key: Key) -> dict[str, object]:
    return {
        "domain": domain,
        "selector": selector,
        "name": record_name(selector, domain),
        "algorithm": key.algorithm,
        "bits": key.bits,
        "record": key.record,
        "zone": f"{record_name(selector, domain)}. IN TXT {zone_text(key.record)}",
    }


def _wanted(settings: Settings, key: DkimKey, *, second: bool) -> str:
    lines: Sequence[str] = (
        "[[dkim.keys]]",
        *([f'domain = "{key.domain}"'] if key.domain != settings.sender.domain else []),
        f'selector = "{key.selector}"',
        f'key_file = "{key.key_file}"',
    )
    if settings.dkim.key_file is None and key.domain == settings.sender.domain and not second:
        lines = ("[dkim]", *lines[1:])
    return "then say in the settings:\n" + "\n".join(lines)
