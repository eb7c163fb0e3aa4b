"""Composition root: everything is built here, once, in order, from the settings. Nothing is global."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import subscribers
from newsletter import deliver
from newsletter.app import Alone, App, Transport, Watch, nobody
from newsletter.clock import Clock, SystemClock
from newsletter.compose.design import default_folders
from newsletter.deliver import providers
from newsletter.deliver.engine import Local
from newsletter.deliver.outbox import Outbox
from newsletter.deliver.smtp import SmtpTransport
from newsletter.errors import ConfigError, TransportDown
from newsletter.http import Fetcher
from newsletter.log import configure, get_logger
from newsletter.mail.dkim import Algorithm, Key, Signer, Signers
from newsletter.mail.tokens import Keyring
from newsletter.settings import Settings, load_secrets, make_data_dir
from newsletter.store import Database, mailings, migrate
from subscribers import SuppressionKey

log = get_logger("main")


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    watch: Watch = nobody,
    transport: Transport | None = None,
    beside: bool = False,
) -> App:
    """Open the database (migrated to this version), read the keys, make the clients. Raises ConfigError.

    `beside`: for a helper of the engine, which has none of its own.
    """
    make_data_dir(settings)
    db = Database(settings.database)
    try:
        migrate(db)
        keys = load_secrets(settings, may_make=_is_new(db))
    except BaseException:
        db.close()
        raise
    clock = clock or SystemClock()
    fetch = settings.fetch
    stopping = threading.Event()
    fetcher = Fetcher(
        user_agent=fetch.user_agent,
        resolve=fetch.resolve,
        ca_file=fetch.ca_file,
        pace=fetch.pace_seconds,
        stopping=stopping,
    )
    return App(
        settings=settings,
        db=db,
        clock=clock,
        fetcher=fetcher,
        transport=transport or make_transport(settings, fetcher, clock=clock, db=db, pause=stopping.wait),
        keyring=Keyring({name: bytes.fromhex(key) for name, key in keys.link_keys.items()}, keys.link_key),
        suppression_key=SuppressionKey(bytes.fromhex(keys.suppression_key)),
        nonce_secret=bytes.fromhex(keys.link_keys[keys.link_key]),
        session_key=bytes.fromhex(keys.session_key),
        signers=make_signers(settings),
        design_folders=default_folders(settings.designs),
        watch=watch,
        engine=Local(settings, send_beside, stopping) if settings.engine.processes > 1 and not beside else Alone(),
        stopping=stopping,
    )


def send_beside(settings: Settings) -> None:
    """What a helper of the local engine runs in a process of its own: send what is due, beside the one that asked."""
    configure(settings.log.level, settings.log.format)
    app = build(settings, beside=True)
    signal.signal(signal.SIGTERM, lambda *_: app.stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the asking process tells us by SIGTERM
    try:
        deliver.run(app, app.clock.now())
    except TransportDown as error:
        log.warning("transport_down", reason=str(error))  # nothing is lost; whoever asked says so too
    finally:
        close(app)


def _is_new(db: Database) -> bool:
    """Whether nothing is there yet that the keys were used for: no list of people, no mail."""
    with db.read() as conn:
        return not subscribers.list_lists(conn) and not mailings.any_there(conn)


def make_transport(
    settings: Settings,
    fetcher: Fetcher,
    *,
    clock: Clock,
    db: Database,
    pause: Callable[[float], bool | None] = time.sleep,
) -> Transport:
    """`pause`: how a provider's request to wait is sat out; True: the program ends."""
    if settings.transport.kind == "smtp":
        signed = bool(settings.dkim_keys)
        return SmtpTransport(settings.transport.smtp, ehlo_name=settings.sender.domain, signed=signed)
    if settings.transport.kind == "outbox":
        return Outbox(settings.outbox)
    return providers.make(settings, fetcher, now=clock.now, pause=pause, db=db)


def make_signers(settings: Settings) -> Signers:
    """Those of every domain that has a key. None at all: then the relay signs. Raises ConfigError, naming the file."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for key in settings.dkim_keys:
        found.setdefault(key.domain, []).append((key.selector, _read_key(key.key_file)))
    return Signers(_signer(domain, pairs) for domain, pairs in found.items())


def _read_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the DKIM key cannot be read: {error.strerror}", where=str(path), hint="`newsletter dkim new` makes one"
        ) from error


def _signer(domain: str, pairs: Sequence[tuple[str, bytes]]) -> Signer:
    """RSA first; Ed25519 only beside it, as receivers without RFC 8463 take mail with that alone as unsigned."""
    first, *more = sorted(pairs, key=lambda pair: Key.read(pair[1]).algorithm is not Algorithm.RSA)
    if len(more) > 1 or Key.read(first[1]).algorithm is not Algorithm.RSA:
        raise ConfigError(
            "a domain signs with one RSA key and, if you like, one Ed25519 key beside it", where=f"dkim {domain}"
        )
    return Signer(domain, *first, second=more[0] if more else None)


def close(app: App) -> None:
    app.fetcher.close()
    app.db.close()
