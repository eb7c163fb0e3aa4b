"""Of several articles that tell one story: which one an issue takes, and who else is named. Pure.

Never sends a story twice: one whose article stands in an earlier issue of the newsletter stays out, until staff say that
it is another story.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from urllib.parse import quote
from zoneinfo import ZoneInfo

from newsletter.compose.safe import clean, http_url
from newsletter.model import Article, ArticleId, ArticleState, Report, SourceId, StoryId, Telling

MOST_NAMED = 5  # "also reported by": a line or two on a phone
_ABOUT_AS_LONG = 0.8  # of the fullest text
_TITLE_LIMIT = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """The stories that the candidates tell, each with all its articles, those of other newsletters too."""

    told: Mapping[StoryId, Sequence[Telling]] = field(default_factory=dict)
    _stories: Mapping[ArticleId, StoryId] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of = {one.article_id: story for story, told in self.told.items() for one in told}
        object.__setattr__(self, "_stories", of)

    def _of(self, article_id: ArticleId) -> Sequence[Telling]:
        story = self._stories.get(article_id)
        return self.told[story] if story is not None else ()

    def refusals(
        self,
        able: Sequence[Article],
        used: Set[ArticleId] | Mapping[ArticleId, str],
        timezone: str,
        *,
        kept: Set[ArticleId] = frozenset(),
        asked: Set[ArticleId] = frozenset(),
    ) -> dict[ArticleId, str]:
        """Why some of the articles that could be taken are not: their story was sent, or another tells it better.

        `kept`: those that staff dealt with; the others of their story give way to them. `asked`: those that staff took in
        by name; they may even tell a story that was sent.
        """
        by_id = {article.id: article for article in able}
        reasons: dict[ArticleId, str] = {}
        for told in self.told.values():
            everyone = [by_id[one.article_id] for one in told if one.article_id in by_id]
            rivals = [rival for rival in everyone if rival.id not in kept]
            sent = next((one for one in told if one.article_id in used), None)
            if sent is not None:
                issue = f"issue {used[sent.article_id]}" if isinstance(used, Mapping) else "another issue"
                told_again = [one for one in everyone if one.id not in asked]
                reasons |= {one.id: f"{_same_as(sent.title, sent.source_name)} in {issue}" for one in told_again}
            elif len(everyone) > 1:
                taken = fullest([one for one in everyone if one.id in kept] or rivals, timezone)
                reasons |= {
                    rival.id: _same_as(taken.title, taken.source_name) for rival in rivals if rival is not taken
                }
        return reasons

    def tellers(self, article: Article, source_ids: Collection[SourceId]) -> int:
        """How many of these sources tell the article's story, its own among them: 1 when nobody else does."""
        others = {one.source_id for one in self._of(article.id) if one.state is not ArticleState.SKIPPED}
        return len({article.source_id} | (others & set(source_ids)))

    def reports(self, article: Article, source_ids: Collection[SourceId], base_url: str = "") -> tuple[Report, ...]:
        """Who else tells the article's story, among the newsletter's own sources: each once, the earliest first."""
        found: dict[str, Report] = {}
        for one in self._of(article.id):
            url = http_url(one.url) or (
                article_page_url(base_url, one.article_id) if one.state is ArticleState.READY else None
            )
            other = one.source_id != article.source_id and one.source_name != article.source_name
            if other and url and one.state is not ArticleState.SKIPPED and one.source_id in source_ids:
                found.setdefault(one.source_name, Report(source=one.source_name, url=url))
        return tuple(found.values())[:MOST_NAMED]


def _same_as(title: str, source: str) -> str:
    return f"same story as “{clean(title, limit=_TITLE_LIMIT)}” ({clean(source)})"


def fullest(rivals: Sequence[Article], timezone: str) -> Article:
    """The one with the longest text; of texts about as long (four fifths) the one that appeared first."""
    enough = max(len(article.text) for article in rivals) * _ABOUT_AS_LONG
    return min(
        (article for article in rivals if len(article.text) >= enough),
        key=lambda article: (appeared(article, timezone), article.id),
    )


def appeared(article: Article, timezone: str) -> datetime:
    """When the article appeared. A bare day counts as its noon in the newsletter's zone."""
    value = article.published
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if value is not None:
        return datetime.combine(value, time(12), ZoneInfo(timezone)).astimezone(UTC)
    return article.first_seen_at.astimezone(UTC)


def article_page_url(base_url: str, article_id: ArticleId) -> str:
    """The public page of an article that has no address of its own."""
    return f"{base_url.rstrip('/')}/articles/{quote(article_id)}"
