"""The lines under the heading of an issue: of when, how much, from whom, what stands out. Pure; from rows only.

Must never say what no row says: counts are counted, days are the items' own, stories are named by their own titles.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.compose.safe import clean
from newsletter.compose.select import headline
from newsletter.locale import Labels, labels
from newsletter.model import Item

LONGEST_TITLE = 90  # characters of a story named here
MOST_TOPICS = 3
WEEK = timedelta(days=7)


def intro(items: Sequence[Item], language: str, timezone: str, *, today: date, stories: int = 2) -> str:
    """One or two sentences; empty for an issue of one item.

    `today`: the day of the issue in `timezone`. `stories`: how many are named; only those in `language`, for no sentence
    is in two languages.
    """
    if len(items) < 2:
        return ""
    words = labels(language)
    days = sorted(day for item in items if (day := _day(item.published, timezone)))
    opening = ", ".join(part for part in (_period(days, words, today), _counted(items, words)) if part)
    named = _named(items, language, stories)
    told = words.gettext("{opening}; top stories: {stories}", opening=opening, stories="; ".join(named))
    sentences = [opening if not named else told]
    if about := _topics(items, language):
        sentences.append(words.gettext("Topics: {topics}", topics=", ".join(about)))
    return " ".join(_stopped(sentence[0].upper() + sentence[1:]) for sentence in sentences)


def _counted(items: Sequence[Item], words: Labels) -> str:
    count = words.ngettext("{n} new story", "{n} new stories", len(items))
    sources = list(dict.fromkeys(name for name in (clean(item.source) for item in items) if name))
    if len(sources) == 1:
        return f"{count} {words.gettext('from {source}', source=sources[0])}"
    return f"{count} {words.ngettext('from {n} source', 'from {n} sources', len(sources))}" if sources else count


def _period(days: Sequence[date], words: Labels, today: date) -> str:
    """The items' own days; "this past week" when they fit into one that ended less than a week before the issue."""
    if not days:
        return ""
    span = words.format_days(days[0], days[-1])
    if days[0] == days[-1]:
        return words.gettext("on {day}", day=words.format_date(days[0], "inside"))
    week = days[-1] - days[0] < WEEK and days[-1] <= today <= days[-1] + WEEK
    return (
        words.gettext("this past week ({days})", days=span) if week else words.gettext("in the days {days}", days=span)
    )


def _named(items: Sequence[Item], language: str, stories: int) -> list[str]:
    ours = (item for item in sorted(items, key=lambda item: item.position) if _same(item.language, language))
    titles = (headline(clean(item.title), LONGEST_TITLE) for item in ours)
    return [title.rstrip(" .") for title in titles if title][: max(stories, 0)]


def _topics(items: Sequence[Item], language: str) -> list[str]:
    """What two items or more are about, the most frequent first; only of items in the language."""
    ours = [item for item in items if _same(item.language, language)]
    counts = Counter(clean(topic) for item in ours for topic in dict.fromkeys(item.topics))
    return [topic for topic, times in counts.most_common() if times > 1 and topic][:MOST_TOPICS]


def _same(one: str, other: str) -> bool:
    return one.split("-")[0].lower() == other.split("-")[0].lower()


def _day(value: datetime | date | None, timezone: str) -> date | None:
    return value.astimezone(ZoneInfo(timezone)).date() if isinstance(value, datetime) else value


def _stopped(sentence: str) -> str:
    return sentence if sentence[-1] in ".!?…" else sentence + "."
