"""When a source seems to have renamed everything at once: what then looks new is shown to a person and never sent. Pure.

News has a date after the last reading; an old article under a new name has an old date, none, or the moment at which the
whole list was built anew (newrelic/docs-website issue 1271). A list that turned over in a long outage is news.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial

from newsletter.collect.identity.keys import minute_told, mistrusted
from newsletter.collect.identity.match import LASTMOD, Candidate, moment_of
from newsletter.model import Seen, Source

SHARE = 0.5  # of the entries of a poll
KNOWN_BEFORE = 10  # articles: a source that gave fewer has no habit yet
AFTERMATH = 7  # days in which stragglers of a mass change may still appear
_AHEAD = timedelta(hours=24)  # a day of another zone; what lies beyond is no date
_SLACK = timedelta(hours=1)  # a feed may lag behind the date it gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """`suspects`: identities of candidates (by `id`) that are no honest news; empty when there is no mass change."""

    suspects: frozenset[int] = frozenset()
    reason: str = ""
    mark: str | None = None  # to be remembered

    def reason_of(self, candidate: Candidate) -> str | None:
        return self.reason if id(candidate) in self.suspects else None


def turned_over(
    source: Source,
    found: Sequence[Candidate],
    fresh: Sequence[Candidate],
    known: Mapping[str, Seen],
    *,
    before: int,
    now: datetime,
    shown: int | None = None,
) -> Turnover:
    """Whether more than half of the entries came under new names at once, and which of them are not evidently news.

    `shown`: how many entries there were, if not all stand in `found`. Recognised articles under a new address count among
    the renamed: where twelve of fifteen moved, the thirteenth that nobody recognises has moved too. So it has where ten
    are news after an outage, and of the four that are known three have moved; and so has one that comes back to the list
    within a week and has no date after that.
    """
    if not source.first_run_done or before < KNOWN_BEFORE:
        return Turnover()
    since = min(source.last_ok_at, now) if source.last_ok_at else now
    newest = max((moment_of(seen.published) for seen in known.values() if seen.published), default=since)
    since = max(since, newest)  # a clock that was set back must not make everything young
    shown = max(shown or 0, len(found))
    built = _built_at(fresh) if 2 * len(fresh) > shown else None
    news = partial(_is_news, since=since, built=built, known=known, now=now)
    suspects = [one for one in fresh if not news(one)]
    unknown = set(map(id, fresh))
    recognised = [one for one in found if id(one) not in unknown]
    moved = sum(_has_moved(one, known) for one in recognised)
    turned, among = len(suspects) + moved, shown
    if turned <= SHARE * among and moved > 1:  # after an outage most may be news: then the known ones tell
        turned, among = moved, len(recognised)
    if turned > SHARE * among:
        return Turnover(
            suspects=frozenset(id(one) for one in fresh if not news(one, surely=True)),
            mark=mark(now),
            reason=f"{turned} of {among} entries turned new at once: their names may have changed, not their news",
        )
    earlier = next((day for day in range(AFTERMATH) if mistrusted(mark(now - timedelta(days=day))) in known), None)
    if earlier is None:
        return Turnover()
    return Turnover(
        suspects=frozenset(map(id, suspects)),
        reason=f"most entries were renamed on {now - timedelta(days=earlier):%Y-%m-%d}: this may be one of them, for no "
        "date shows that it is news",
    )


def mark(now: datetime) -> str:
    """Remembered among the source's marks: the day of a mass change."""
    return f"turned:{now:%Y-%m-%d}"


def _has_moved(one: Candidate, known: Mapping[str, Seen]) -> bool:
    """Whether a recognised entry came under an address never seen, or, without an address, under a new id."""
    for kind in "ug":
        keys = [key for key in one.keys if key[0] == kind]
        if keys:
            return not any(key in known for key in keys)
    return False


def _is_news(
    one: Candidate,
    *,
    since: datetime,
    built: datetime | None,
    known: Mapping[str, Seen],
    now: datetime,
    surely: bool = False,
) -> bool:
    """`surely`: a bare day counts from its beginning, for an article of the day of the last reading may be an old one."""
    published = one.item.published
    if published is None or one.item.provenance.get("published") == LASTMOD:
        return False
    if one.name in known or (built is not None and minute_told(one.item) == built):
        return False
    begun = datetime.combine(published, time(), tzinfo=UTC) if surely and not isinstance(published, datetime) else None
    return since - _SLACK < (begun or moment_of(published)) <= now + _AHEAD


def _built_at(fresh: Sequence[Candidate]) -> datetime | None:
    """The minute that most of them share: that of the list, not of the articles."""
    common = Counter(filter(None, (minute_told(one.item) for one in fresh))).most_common(1)
    return common[0][0] if common and 2 * common[0][1] > len(fresh) else None
