"""Articles that a person gives by hand: pasted text, or a file. Written under a source of kind manual.

Must never take a new text for a correction of an old one because both are called "Lịch công tác tuần": an article given
by hand is known by all its words, by its address, or by title and day together.
"""

import dataclasses
import hashlib
from dataclasses import dataclass
from datetime import datetime

from newsletter import collect
from newsletter.app import App
from newsletter.collect.documents.manuscript import from_text
from newsletter.collect.identity.keys import title_key
from newsletter.collect.poll import candidates
from newsletter.collect.text.clean import MAX_TEXT, one_line, plain
from newsletter.collect.text.dates import parse_date
from newsletter.collect.text.links import absolute
from newsletter.errors import BadInput
from newsletter.model import ArticleId, RawItem, Source, SourceKind
from newsletter.store import Connection, articles, newsletters, sources

SLUG = "pasted"  # of the source that is made when there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a person says about a text, as typed; "" where they leave it to the text."""

    title: str = ""
    date: str = ""
    url: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """`fresh`: it was not known before; else its words were compared, and taken over where they differ."""

    article_id: ArticleId
    fresh: bool


def from_paste(text: str, facts: Facts) -> RawItem:
    """The article in a pasted text: its first line is the title unless one is given. Raises BadInput, `where` the field."""
    text = plain(text.replace("\r\n", "\n").replace("\r", "\n"))
    if not any(sign.isalnum() for sign in text):
        raise BadInput("there is no text", where="text")
    if len(text.encode()) > MAX_TEXT:
        raise BadInput(f"the text has more than {MAX_TEXT // 1000} kB", where="text")
    return with_facts(from_text(text, markdown=False, name="", title=one_line(facts.title)), facts)


def with_facts(item: RawItem, facts: Facts) -> RawItem:
    """`item` as a person describes it. Raises BadInput."""
    given: dict[str, object] = {}
    if facts.title.strip():
        given["title"] = one_line(facts.title)
    if facts.url.strip():
        given["url"] = absolute("", facts.url)
        if given["url"] is None:
            raise BadInput("this is not a web address (https://…)", where="url")
    if facts.date.strip():
        given["published"], given["published_raw"] = parse_date(facts.date), facts.date.strip()
        if given["published"] is None:
            raise BadInput("this date cannot be read", where="date", hint="like 2026-11-23 or 23/11/2026")
    if facts.author.strip():
        given["authors"] = tuple(name for part in facts.author.split(",") if (name := one_line(part, 200)))
    if not item.title and not given.get("title"):
        raise BadInput("there is no title", where="title")
    rules = {name: "given" for name in given if name != "published_raw"}
    item = dataclasses.replace(item, **given, provenance={**item.provenance, **rules})  # type: ignore[arg-type]
    words = f"{title_key(item.title)}\0{title_key(item.text)}"
    return dataclasses.replace(item, guid="pasted:" + hashlib.sha256(words.encode()).hexdigest())


def take(app: App, source: Source, item: RawItem, now: datetime) -> Taken:
    """Write the article, or find it known."""
    keys = candidates(source, [item])[0].keys
    with app.db.read() as conn:
        before = articles.known(conn, source.id, keys)
    collect.take(app, source, [item], now)
    with app.db.read() as conn:
        owners = articles.known(conn, source.id, keys)
    return Taken(article_id=next(owners[key] for key in keys if key in owners), fresh=not before)


def manual_sources(conn: Connection) -> list[Source]:
    """Those that articles given by hand may stand under."""
    return [s for s in sources.listed(conn) if s.kind is SourceKind.MANUAL and not sources.was_removed(s)]


def source_for(app: App, slug: str, now: datetime) -> Source:
    """The manual source called `slug`, or without a name the only one there is. Raises BadInput.

    Where there is none, one is made under the sender's name; the newsletter takes it if there is only one.
    """
    with app.db.begin() as conn:
        known = manual_sources(conn)
        found = [source for source in known if source.slug == slug] if slug else known
        if len(found) == 1:
            return found[0]
        if slug or found:
            there = ", ".join(source.slug for source in known) or "none"
            what = "there is no manual source of this name" if slug else "there are several manual sources"
            raise BadInput(what, where=slug or "source", hint=f"there are: {there}")
        sender = app.settings.sender
        made = sources.new(SLUG, SourceKind.MANUAL, "", name=sender.organisation or sender.name)
        sources.add(conn, made, now=now)
        letters = newsletters.listed(conn)
        if len(letters) == 1:
            taking = dataclasses.replace(letters[0], source_ids=(*letters[0].source_ids, made.id))
            newsletters.save(conn, taking, now=now)
        return made
