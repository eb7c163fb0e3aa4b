"""inspect KIND: what the pipeline would make of a file. Reads files only: no database, no network, no settings.

With --jsonl it reads one JSON object a line and writes one a line, in order, with the same `id`; a line that cannot be
handled gives {"id", "error"} and the next goes on.
"""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from newsletter.cli.failing import WRONG
from newsletter.cli.output import emit, note, say
from newsletter.errors import BadInput, NewsletterError

MAX_FILE = 64 << 20  # octets, unpacked: a bound against gzip bombs, far above any reader's own

Record = Mapping[str, Any]


class Kind(StrEnum):
    ARTICLE = "article"
    FEED = "feed"
    LISTING = "listing"
    SUMMARY = "summary"
    BOUNCE = "bounce"
    WEBHOOK = "webhook"
    MESSAGE = "message"


def register(app: typer.Typer) -> None:
    app.command("inspect")(inspect)


def inspect(
    kind: Annotated[Kind, typer.Argument(help="What the files hold; for summary: articles as txt, md or html.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help=".gz files are opened.")] = None,
    *,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line, from standard input.")] = False,
    url: Annotated[str | None, typer.Option(help="Where the file was found, for its links.")] = None,
    lang: Annotated[str | None, typer.Option(help="The language of a summary; else guessed.")] = None,
    max_chars: Annotated[int, typer.Option(min=1, help="The length of a summary.")] = 350,
    rcpt: Annotated[str | None, typer.Option(help="The envelope recipient a bounce came to.")] = None,
    names: Annotated[bool, typer.Option("--list", help="Name the providers whose webhooks are understood.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the pipeline would make of a file, without writing anything. Code 1: a file could not be handled.

    The fields of --jsonl, in → out. article: id, file, url? → id, title, published, authors, image, text, language,
    provenance. feed: id, file, url? → id, title, entries. listing: id, file, url → id, links. summary: id, lang, title,
    text, max_chars, standfirst? → id, summary, method, sentences, guard. bounce: id, file, rcpt? → id, recipients.
    webhook: id, esp, path, content_type, headers, body_b64, secrets → id, events or refused. message: id, file → id,
    findings. A file of webhooks holds such a record.
    """
    if names:
        say("\n".join(provider_names()))
        raise typer.Exit()
    if jsonl:
        raise typer.Exit(jsonl_lines(kind, sys.stdin.buffer, sys.stdout.buffer))
    if not files:
        raise typer.BadParameter("name a file, or say --jsonl")
    worst = 0
    for file in files:
        record: dict[str, Any] = {"id": str(file), "file": str(file), "url": url, "rcpt": rcpt}
        if kind is Kind.SUMMARY:
            record |= {"lang": lang, "max_chars": max_chars}
        try:
            made = article_summary(record) if kind is Kind.SUMMARY else HANDLERS[kind](record)
        except NewsletterError as error:
            note(f"error: {error}")
            worst = WRONG
            continue
        errors = any(finding["level"] == "error" for finding in made.get("findings", ()))
        worst = WRONG if errors else worst
        if as_json:
            emit(made)
        else:
            _tell(kind, made)
    raise typer.Exit(worst)


def jsonl_lines(kind: Kind, incoming: IO[bytes], outgoing: IO[bytes]) -> int:
    """Answer every line; 1 when one of them could not be handled."""
    worst = 0
    for line in incoming:
        if not line.strip():
            continue
        answer = _answer(kind, line)
        worst = WRONG if "error" in answer else worst
        outgoing.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        outgoing.flush()  # whoever asks line by line gets each answer at once
    return worst


def _answer(kind: Kind, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {"id": None, "error": f"not a line of JSON: {error}"}
    if not isinstance(record, dict):
        return {"id": None, "error": "the line is not a JSON object"}
    try:
        return HANDLERS[kind](record)
    except NewsletterError as error:
        return {"id": record.get("id"), "error": str(error)}
    except Exception as error:  # a fault of ours in one line must not cost the others, and must be seen
        return {"id": record.get("id"), "error": f"{type(error).__name__}: {error}"}


# ---------------------------------------------------------------- one handler per kind


def article(record: Record) -> dict[str, Any]:
    from newsletter.collect.documents.files import read_file
    from newsletter.collect.pages.page import read_page

    path = _path(record)
    if path.name.lower().removesuffix(".gz").endswith((".txt", ".md", ".markdown")):
        item = read_file(path)
    else:
        item = read_page(_octets(path), url=_text(record, "url"), content_type=_media_type(record))
    return {
        "id": record.get("id"),
        "title": item.title,
        "published": _iso(item.published),
        "authors": list(item.authors),
        "image": item.image,
        "text": item.text,
        "language": item.language,
        "provenance": dict(item.provenance),
        "standfirst": item.standfirst,
    }


def feed(record: Record) -> dict[str, Any]:
    from newsletter.collect.feeds.feed import read_feed

    found = read_feed(_octets(_path(record)), url=_text(record, "url") or "", content_type=_media_type(record))
    return {
        "id": record.get("id"),
        "title": found.title,
        "entries": [
            {
                "id": item.guid,
                "title": item.title,
                "link": item.url,
                "published": _iso(item.published),
                "summary": item.standfirst,
                "image": item.image,
            }
            for item in found.entries
        ],
    }


def listing(record: Record) -> dict[str, Any]:
    from newsletter.collect.lists.listing import read_listing

    url = _text(record, "url")
    if not url:
        raise BadInput("url is missing: links are told apart by it", hint="say --url")
    found = read_listing(_octets(_path(record)), url=url, content_type=_media_type(record))
    return {
        "id": record.get("id"),
        "links": [{"url": link.url, "title": link.title, "published": _iso(link.published)} for link in found.links],
    }


def summary(record: Record) -> dict[str, Any]:
    from newsletter.summarise.choice import summarise
    from newsletter.summarise.extract import MAX_CHARS

    limit = MAX_CHARS if record.get("max_chars") is None else record["max_chars"]
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadInput(f"max_chars must be a whole number from 1, not {limit!r}")
    made = summarise(
        title=_text(record, "title") or "",
        text=_text(record, "text") or "",
        standfirst=_text(record, "standfirst"),
        language=_text(record, "lang"),
        max_chars=limit,
    )
    if made is None:
        nothing = {"ok": False, "reasons": ["no whole sentence to summarise it with"]}
        return {"id": record.get("id"), "summary": "", "method": None, "sentences": [], "guard": nothing}
    return {
        "id": record.get("id"),
        "summary": made.text,
        "method": str(made.origin),
        "sentences": [{"text": s.text, "from": s.origin, "start": s.start, "end": s.end} for s in made.sentences],
        "guard": {"ok": made.guard.ok, "reasons": list(made.guard.reasons)},
    }


def article_summary(record: Record) -> dict[str, Any]:
    """The summary of the article in a file."""
    read = article(record)
    given = {name: read[name] for name in ("title", "text", "standfirst")}
    return summary({**record, **given, "lang": record.get("lang") or read["language"]})


def bounce(record: Record) -> dict[str, Any]:
    from newsletter.mail.bounces import read_returned

    found = read_returned(_octets(_path(record)), rcpt=_text(record, "rcpt"))
    names = ("address", "kind", "reason", "status", "original", "token")
    return {"id": record.get("id"), "recipients": [{name: getattr(one, name) for name in names} for one in found]}


def webhook(record: Record) -> dict[str, Any]:
    from newsletter.mail.webhooks import recorded

    if "file" in record and "body_b64" not in record:
        return webhook({"id": record.get("id"), **_json_object(_octets(_path(record)))})
    return {"id": record.get("id"), **recorded.answer(record)}


def provider_names() -> list[str]:
    from newsletter.mail.webhooks import PROVIDERS

    return [provider.name for provider in PROVIDERS]


def message(record: Record) -> dict[str, Any]:
    from newsletter.mail.check import check_message

    found = check_message(_octets(_path(record)))
    names = ("check", "level", "where", "message")
    return {"id": record.get("id"), "findings": [{name: getattr(f, name) for name in names} for f in found]}


HANDLERS: Mapping[Kind, Callable[[Record], dict[str, Any]]] = {
    Kind.ARTICLE: article,
    Kind.FEED: feed,
    Kind.LISTING: listing,
    Kind.SUMMARY: summary,
    Kind.BOUNCE: bounce,
    Kind.WEBHOOK: webhook,
    Kind.MESSAGE: message,
}


# ---------------------------------------------------------------- reading


def _text(record: Record, name: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{name} must be a string")
    return value


def _media_type(record: Record) -> str | None:
    value = _text(record, "content_type")
    return value.split(";")[0].strip().lower() if value else None


def _path(record: Record) -> Path:
    value = _text(record, "file")
    if not value:
        raise BadInput("file is missing")
    return Path(value)


def _octets(path: Path) -> bytes:
    """The file's content, unpacked when its name ends in .gz. Raises BadInput."""
    try:
        with path.open("rb") as plain:
            opened = gzip.GzipFile(fileobj=plain) if path.name.lower().endswith(".gz") else plain
            body = opened.read(MAX_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(f"the file cannot be read: {reason}", where=str(path)) from error
    if len(body) > MAX_FILE:
        raise BadInput(f"the file is larger than {MAX_FILE >> 20} MB", where=str(path))
    return body


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not a JSON object: {error}") from None
    if not isinstance(found, dict):
        raise BadInput("not a JSON object")
    return found


def _iso(value: datetime | date | None) -> str | None:
    return value.isoformat() if value is not None else None


# ---------------------------------------------------------------- telling


def _tell(kind: Kind, made: Mapping[str, Any]) -> None:
    _TELLERS[kind](made)


def _tell_feed(made: Mapping[str, Any]) -> None:
    say(f"{made['title'] or 'no title'}: {len(made['entries'])} entries")
    for entry in made["entries"]:
        say(f"  {entry['published'] or 'no date':<25}  {entry['title']}  {entry['link'] or ''}")


def _tell_listing(made: Mapping[str, Any]) -> None:
    say(f"{len(made['links'])} links to articles")
    for link in made["links"]:
        say(f"  {link['published'] or 'no date':<25}  {link['title']}  {link['url']}")


def _tell_webhook(made: Mapping[str, Any]) -> None:
    say(f"refused: {made['refused']}" if "refused" in made else f"{len(made['events'])} events")
    for event in made.get("events", ()):
        say(f"  {event['event_type']:<12}  {event['timestamp'] or 'no time':<32}  {event['recipient'] or 'nobody'}")


def _tell_findings(made: Mapping[str, Any]) -> None:
    for finding in made["findings"]:
        say(f"{finding['level']}: {finding['where']}: {finding['message']} [{finding['check']}]")
    if not made["findings"]:
        say(f"{made['id']}: nothing to mend")


def _tell_article(made: Mapping[str, Any]) -> None:
    for name in ("title", "published", "authors", "image", "language", "standfirst"):
        value = ", ".join(made[name]) if name == "authors" else made[name]
        rule = made["provenance"].get(name)
        say(f"{name:<11}{value or '–'}{f'  [{rule}]' if rule else ''}")
    say()
    say(made["text"])


def _tell_bounce(made: Mapping[str, Any]) -> None:
    for one in made["recipients"]:
        say(f"{one['kind']}: {one['reason']} {one['status']}  {one['address'] or 'nobody is named'}")
    if not made["recipients"]:
        say(f"{made['id']}: no bounce, no report, no automatic reply")


def _tell_summary(made: Mapping[str, Any]) -> None:
    say(made["summary"] or "no summary")
    for sentence in made["sentences"]:
        place = f"{sentence['from']} {sentence['start']}–{sentence['end']}"
        say(f"  {place if sentence['start'] is not None else sentence['from']}: {sentence['text']}")
    guard = made["guard"]
    say(f"guard: {'ok' if guard['ok'] else 'refused: ' + '; '.join(guard['reasons'])}")


_TELLERS: Mapping[Kind, Callable[[Mapping[str, Any]], None]] = {
    Kind.ARTICLE: _tell_article,
    Kind.FEED: _tell_feed,
    Kind.LISTING: _tell_listing,
    Kind.SUMMARY: _tell_summary,
    Kind.BOUNCE: _tell_bounce,
    Kind.WEBHOOK: _tell_webhook,
    Kind.MESSAGE: _tell_findings,
}
