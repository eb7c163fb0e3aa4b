"""Which articles enter an issue and why, and the lines an inbox shows of them: subject and preheader. Pure.

Each candidate gets a decision with a reason, so that "why is this article (not) in the issue?" has an answer.
"""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta

from newsletter.compose.safe import clean, http_url, shortened
from newsletter.compose.tellings import Stories, appeared, article_page_url
from newsletter.locale import Labels, labels
from newsletter.model import Article, ArticleId, ArticleState, Decision, Item, Newsletter, Report, SourceId

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


def choose(
    candidates: Sequence[Article],
    newsletter: Newsletter,
    *,
    now: datetime,
    used: Set[ArticleId] | Mapping[ArticleId, str],
    max_age: Mapping[SourceId, timedelta] | None = None,
    base_url: str = "",
    stories: Stories | None = None,
) -> list[Decision]:
    """One decision per candidate, newest first; those included carry an item with its position from 1.

    `used`: articles of other issues; as a mapping its values name the issue. `max_age`: per source, 14 days for others;
    an article given by name is never too old. `base_url`: where an article without a URL of its own has its page.
    `stories`: of several articles that tell one story one is taken; it says who else reported it.
    """
    ages, told = max_age or {}, stories or Stories()
    ordered = newest_first(candidates, newsletter.timezone)
    refused = {a.id: _refusal(a, now=now, used=used, age=ages.get(a.source_id, MAX_AGE)) for a in ordered}
    retold = told.refusals([a for a in ordered if refused[a.id] is None], used, newsletter.timezone)
    decisions: list[Decision] = []
    taken = 0
    for article in ordered:
        reason = refused[article.id] or retold.get(article.id)
        if reason is None and taken >= newsletter.max_items:
            reason = f"over the limit of {newsletter.max_items}"
        if reason is not None:
            decisions.append(Decision(article_id=article.id, included=False, reason=reason))
            continue
        taken += 1
        item = _item(article, taken, base_url, told.reports(article, newsletter.source_ids, base_url))
        decisions.append(Decision(article_id=article.id, included=True, reason="in", item=item))
    return decisions


def newest_first(articles: Sequence[Article], timezone: str) -> list[Article]:
    """By publication, else by when it was first seen; the id settles ties, so the order never depends on chance."""
    return sorted(articles, key=lambda article: (appeared(article, timezone), article.id), reverse=True)


def _refusal(
    article: Article, *, now: datetime, used: Set[ArticleId] | Mapping[ArticleId, str], age: timedelta
) -> str | None:
    """Why the article stays out, or None."""
    if article.id in used:
        return f"already in issue {used[article.id]}" if isinstance(used, Mapping) else "already in another issue"
    if article.state is not ArticleState.READY:
        return f"{article.state}: {article.reason}" if article.reason else str(article.state)
    if article.summary is None:
        return "has no summary"
    if not article.named and _too_old(article, now, age):
        return f"too old: more than {age.days} days"
    return None


def _too_old(article: Article, now: datetime, age: timedelta) -> bool:
    value = article.published or article.first_seen_at
    oldest = now.astimezone(UTC) - age
    return value < oldest if isinstance(value, datetime) else value < oldest.date()


def _item(article: Article, position: int, base_url: str, also: tuple[Report, ...]) -> Item:
    assert article.summary is not None  # _refusal has looked
    return Item(
        article_id=article.id,
        position=position,
        section=article.section,
        title=article.title,
        url=http_url(article.url) or article_page_url(base_url, article.id),
        summary=article.summary.text,
        source=article.source_name,
        author=article.authors[0] if article.authors else None,
        image=article.image,
        language=article.language,
        published=article.published,
        topics=article.topics,
        also=also,
    )


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
