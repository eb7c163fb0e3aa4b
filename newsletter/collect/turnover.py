"""When a source seems to have renamed everything at once: what then looks new is shown to a person and never sent. Pure.

News has a date after the last reading; an old article under a new name has an old date, none, or the moment at which the
whole list was built anew (newrelic/docs-website issue 1271). A list that turned over in a long outage is news.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from newsletter.collect.match import LASTMOD, Candidate, moment_of
from newsletter.model import Seen, Source

SHARE = 0.5  # of the entries of a poll
KNOWN_BEFORE = 10  # articles: a source that gave fewer has no habit yet
_SLACK = timedelta(hours=1)  # a feed may lag behind the date it gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """`suspects`: identities of candidates (by `id`) that are no honest news; empty when there is no mass change."""

    suspects: frozenset[int] = frozenset()
    reason: str = ""

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
) -> Turnover:
    """Whether more than half of the entries turned new at once without being news, and which they are."""
    if not source.first_run_done or before < KNOWN_BEFORE or 2 * len(fresh) <= len(found):
        return Turnover()
    since = min(source.last_ok_at, now) if source.last_ok_at else now
    built = _built_at(fresh)
    suspects = [one for one in fresh if not _is_news(one, since=since, built=built, known=known)]
    if len(suspects) <= SHARE * len(found):
        return Turnover()
    return Turnover(
        suspects=frozenset(map(id, suspects)),
        reason=f"{len(suspects)} of {len(found)} entries turned new at once: their names may have changed, not their news",
    )


def _is_news(one: Candidate, *, since: datetime, built: datetime | None, known: Mapping[str, Seen]) -> bool:
    published = one.item.published
    if published is None or one.item.provenance.get("published") == LASTMOD:
        return False
    if one.name in known or (built is not None and _minute(one) == built):
        return False
    return moment_of(published) > since - _SLACK


def _built_at(fresh: Sequence[Candidate]) -> datetime | None:
    """The minute that most of them share: that of the list, not of the articles."""
    common = Counter(filter(None, map(_minute, fresh))).most_common(1)
    return common[0][0] if common and 2 * common[0][1] > len(fresh) else None


def _minute(one: Candidate) -> datetime | None:
    published = one.item.published
    if not isinstance(published, datetime) or published.time() == time():  # midnight stands for a bare day
        return None
    return published.astimezone(UTC).replace(second=0, microsecond=0)
