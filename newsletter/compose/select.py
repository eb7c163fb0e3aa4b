"""Which articles enter an issue and why, and the lines an inbox shows of them: subject and preheader. Pure.

Each candidate gets a decision with a reason, so that "why is this article (not) in the issue?" has an answer.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from newsletter.compose.order import Seat, seated
from newsletter.compose.rank import basis, best_first
from newsletter.compose.safe import clean, http_url, shortened
from newsletter.compose.sections import NOWHERE, Assigned, assigned
from newsletter.compose.tellings import Stories, article_page_url
from newsletter.locale import Labels, labels
from newsletter.model import (
    Article,
    ArticleId,
    ArticleState,
    Basis,
    Decision,
    Item,
    Newsletter,
    Override,
    Presence,
    Report,
    SourceId,
)

SUBJECT_LENGTH = 50  # an iPhone shows 48, the Gmail app 33 to 40: no more is added beyond it
LONGEST_SUBJECT = 70  # what Gmail on the web shows; a title is kept whole up to here, for a cut parts Vietnamese words
PREHEADER_LENGTH = (40, 90)
MAX_AGE = timedelta(days=14)
_CLAUSE_END = re.compile(r"\s*[:;,–—?!]\s+|\s+-\s+|\.\s+")
_SHORTEST_CLAUSE = 20
# A line that ends in one of these reads as broken off; syllables that only open a phrase.
_DANGLING = frozenset(
    {"và", "của", "cho", "với", "về", "theo", "trong", "trên", "tại", "từ", "đến", "để", "do", "bởi", "là", "các"}
    | {"những", "một", "ở", "khi", "sau", "trước", "giữa", "cùng", "sẽ", "đã", "được", "bị"}
    | {"a", "an", "the", "and", "or", "of", "for", "with", "to", "from", "in", "on", "at", "by", "as", "is", "are"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """An article with its rank, what staff said of it and, once it can be taken, the section it belongs to."""

    article: Article
    basis: Basis
    said: Override | None
    section: Assigned = NOWHERE

    @property
    def kept(self) -> bool:
        """Staff dealt with it: it stays in the issue whatever its age, its rank and the limits."""
        return self.said is not None and not self.said.left_out

    @property
    def asked(self) -> bool:
        """Staff took it in by name."""
        return self.said is not None and self.said.presence is Presence.IN

    @property
    def why_in(self) -> str:
        return f"in: taken in by {self.said.presence_by}" if self.said and self.asked else "in"

    def placed(self, newsletter: Newsletter) -> "_Candidate":
        section = assigned(self.article, newsletter, self.said.section if self.said else None)
        return replace(self, section=section, basis=replace(self.basis, section=section.title, rule=section.rule))

    def decided(self, reason: str, item: Item | None = None) -> Decision:
        return Decision(
            article_id=self.article.id, included=item is not None, reason=reason, item=item, basis=self.basis
        )


def choose(
    candidates: Sequence[Article],
    newsletter: Newsletter,
    *,
    now: datetime,
    used: Set[ArticleId] | Mapping[ArticleId, str],
    max_age: Mapping[SourceId, timedelta] | None = None,
    base_url: str = "",
    stories: Stories | None = None,
    overrides: Mapping[ArticleId, Override] | None = None,
    send_at: datetime | None = None,
    lead: bool = True,
) -> list[Decision]:
    """One decision per candidate: those in the issue with an item, in its order, then the others, best ranked first.

    `used`: articles of other issues; as a mapping its values name the issue. `max_age`: per source, 14 days for others;
    an article given by name is never too old. `base_url`: where an article without a URL of its own has its page.
    `stories`: of several articles that tell one story one is taken; it says who else reported it. `overrides`: what staff
    said for this issue; what they dealt with stays, but never an article of another issue. `send_at`: the moment that
    freshness counts from, else `now`. `lead`: the design sets the first item apart.
    """
    told, at = stories or Stories(), send_at or now
    found = _ranked(candidates, newsletter, told, overrides or {}, at=at)
    reasons = _refused(found, newsletter, told, now=now, used=used, max_age=max_age or {})
    # A section may look for words in the whole text: not in the many that are used or too old.
    found = [one if one.article.id in reasons else one.placed(newsletter) for one in found]
    mail, web, over = _admitted([one for one in found if one.article.id not in reasons], newsletter)
    items = [*_in_order(mail, lead=lead), *web]
    decisions = []
    for position, one in enumerate(items, 1):
        also = told.reports(one.article, newsletter.source_ids, base_url)
        only_web = position > len(mail)
        reason = f"in, only on the web: over the limit of {_of_section(one)}" if only_web else one.why_in
        decisions.append(one.decided(reason, _item(one, position, base_url, also, only_web=only_web)))
    reasons |= over
    return decisions + [one.decided(reasons[one.article.id]) for one in found if one.article.id in reasons]


def _ranked(
    candidates: Sequence[Article],
    newsletter: Newsletter,
    told: Stories,
    overrides: Mapping[ArticleId, Override],
    *,
    at: datetime,
) -> list[_Candidate]:
    """Best first."""
    scored = [(article, basis(article, newsletter, at=at, stories=told)) for article in candidates]
    return [
        _Candidate(article=article, basis=rests_on, said=overrides.get(article.id))
        for article, rests_on in best_first(scored, newsletter.timezone)
    ]


def _refused(
    found: Sequence[_Candidate],
    newsletter: Newsletter,
    told: Stories,
    *,
    now: datetime,
    used: Set[ArticleId] | Mapping[ArticleId, str],
    max_age: Mapping[SourceId, timedelta],
) -> dict[ArticleId, str]:
    """Why some cannot be taken, whatever the limits."""
    reasons = {
        one.article.id: reason
        for one in found
        if (reason := _refusal(one, now=now, used=used, age=max_age.get(one.article.source_id, MAX_AGE)))
    }
    able = [one.article for one in found if one.article.id not in reasons]
    kept = {one.article.id for one in found if one.kept}
    asked = {one.article.id for one in found if one.asked}
    return reasons | told.refusals(able, used, newsletter.timezone, kept=kept, asked=asked)


def _admitted(
    able: Sequence[_Candidate], newsletter: Newsletter
) -> tuple[list[_Candidate], list[_Candidate], dict[ArticleId, str]]:
    """(in the mail, only on the web, over which limit), each best first. What staff dealt with is admitted before the others."""
    by_section: Counter[int] = Counter()
    by_source: Counter[SourceId] = Counter()
    mail: list[_Candidate] = []
    web: list[_Candidate] = []
    over: dict[ArticleId, str] = {}
    for one in sorted(able, key=lambda one: not one.kept):
        most, per_source = one.section.limit, newsletter.max_per_source
        if not one.kept and per_source is not None and by_source[one.article.source_id] >= per_source:
            over[one.article.id] = f"over the limit of {per_source} of {one.article.source_name}"
        elif not one.kept and most is not None and by_section[one.section.at] >= most:
            web.append(one)
        elif not one.kept and len(mail) >= newsletter.max_items:
            over[one.article.id] = f"over the limit of {newsletter.max_items}"
        else:
            mail.append(one)
            by_section[one.section.at] += 1
            by_source[one.article.source_id] += 1
    taken = {one.article.id for one in mail}
    return [one for one in able if one.article.id in taken], web, over


def _in_order(mail: Sequence[_Candidate], *, lead: bool) -> list[_Candidate]:
    by_id = {str(one.article.id): one for one in mail}
    return [by_id[seat.key] for seat in seated([_seat(one) for one in mail], lead=lead)]


def _seat(one: _Candidate) -> Seat:
    said = one.said
    return Seat(
        key=one.article.id,
        section=one.section.title,
        place=said.place if said else None,
        pin=said.pin if said else None,
        at=said.placed_at if said else None,
    )


def _of_section(one: _Candidate) -> str:
    return f"{one.section.limit} in “{one.section.title}”" if one.section.title else f"{one.section.limit} in the rest"


def _refusal(
    one: _Candidate, *, now: datetime, used: Set[ArticleId] | Mapping[ArticleId, str], age: timedelta
) -> str | None:
    """Why the article stays out, or None."""
    article, said = one.article, one.said
    if article.id in used:
        return f"already in issue {used[article.id]}" if isinstance(used, Mapping) else "already in another issue"
    if article.state is not ArticleState.READY:
        return f"{article.state}: {article.reason}" if article.reason else str(article.state)
    if article.summary is None:
        return "has no summary"
    if said is not None and said.left_out:
        return f"left out by {said.presence_by}"
    if not article.named and not one.kept and _too_old(article, now, age):
        return f"too old: more than {age.days} days"
    return None


def _too_old(article: Article, now: datetime, age: timedelta) -> bool:
    value = article.published or article.first_seen_at
    oldest = now.astimezone(UTC) - age
    return value < oldest if isinstance(value, datetime) else value < oldest.date()


def _item(one: _Candidate, position: int, base_url: str, also: tuple[Report, ...], *, only_web: bool) -> Item:
    article, section, said = one.article, one.section, one.said
    assert article.summary is not None  # _refusal has looked
    return Item(
        article_id=article.id,
        position=position,
        section=section.title,
        title=_said(said.title if said else None, article.title),
        url=http_url(article.url) or article_page_url(base_url, article.id),
        summary=_said(said.summary if said else None, article.summary.text),
        source=article.source_name,
        author=article.authors[0] if article.authors else None,
        image=article.image if said is None or said.image is None else said.image or None,
        language=article.language,
        published=article.published,
        topics=article.topics,
        also=also,
        section_titles=dict(section.section.titles) if section.section and section.title else {},
        section_at=section.at,
        only_web=only_web,
        edited=said.said if said else (),
    )


def _said(by_staff: str | None, made: str) -> str:
    return made if by_staff is None else by_staff


# ---------------------------------------------------------------- the lines an inbox shows


def subject(newsletter: Newsletter, items: Sequence[Item], language: str) -> str:
    """The news first: the lead's title up to a clause end within 50 characters, whole up to 70, else up to a word end."""
    words = labels(language)
    if not items:
        return clean(newsletter.name)
    title = clean(items[0].title)
    others = len(items) - 1
    if len(title) > SUBJECT_LENGTH:
        clause = _clause(title, SUBJECT_LENGTH)
        return clause or headline(title, LONGEST_SUBJECT) or _counted(newsletter, others, words)
    if others and items[0].language.split("-")[0] == language.split("-")[0]:
        longer = words.ngettext("{title} and {n} more story", "{title} and {n} more stories", others, title=title)
        return longer if len(longer) <= SUBJECT_LENGTH else title
    return title


def _counted(newsletter: Newsletter, others: int, words: Labels) -> str:
    if others:
        return words.ngettext("Top story and {n} more", "Top story and {n} more", others)
    return clean(newsletter.name, limit=SUBJECT_LENGTH)


def headline(title: str, limit: int) -> str:
    """`title` within `limit` characters: up to its last clause end that leaves enough, else up to a word with ….

    Empty when nothing readable is left (one word longer than the limit). Never ends inside a word or on a preposition.
    """
    if len(title) <= limit:
        return title
    clause = _clause(title, limit)
    if clause:
        return clause
    words = title[:limit].rsplit(" ", 1)[0].split(" ") if " " in title[:limit] else []
    while words and words[-1].lower() in _DANGLING:
        words.pop()
    return " ".join(words).rstrip(" ,;:–-.(") + "…" if words else ""


def _clause(title: str, limit: int) -> str:
    """`title` up to its last clause end within `limit` that leaves enough to read; empty when there is none."""
    ends = [end.start() for end in _CLAUSE_END.finditer(title) if _SHORTEST_CLAUSE <= end.start() <= limit]
    return title[: ends[-1]] if ends else ""


def preheader(newsletter: Newsletter, items: Sequence[Item], language: str) -> str:
    """40 to 90 characters that go on where the subject ends: the next titles, or the lead's first words."""
    words = labels(language)
    least, most = PREHEADER_LENGTH
    if not items:
        return clean(newsletter.name)
    lead_cut = subject(newsletter, items, language) != clean(items[0].title)
    titles = [headline(clean(item.title), most - 20) for item in items[1:]]
    line = ""
    for title in filter(None, titles):
        longer = f"{line}; {title}" if line else title
        if len(longer) > most:
            break
        line = longer
    if len(line) < least:
        about = clean(items[0].summary) or (clean(items[0].title) if lead_cut else "")
        line = f"{line}. {about}" if line and about else line or about
    if len(line) < least:
        tail = words.gettext("In {newsletter}", newsletter=clean(newsletter.name))
        line = f"{line} – {tail}" if line else tail
    return shortened(line, most)
