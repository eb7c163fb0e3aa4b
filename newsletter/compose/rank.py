"""How far ahead of others an article stands: a sum of four numbers, each of which `why` shows. Pure.

| part | what it gives | from–to |
|---|---|---|
| fresh | halves every three days before the send moment | 0–1 |
| story | half a point for each doubling of the newsletter's sources that tell the story | 0–1 |
| source | half a point for each step of staff's weight of the source | -1.5–1.5 |
| article | the same of the article itself | -1.5–1.5 |

So one step of weight, or a second source, outweighs a delay of up to three days, and an article that four sources tell stands
ahead of any other of the same weight. Must never depend on when it is computed: the send moment of the issue counts, so that
composing again does not reorder what staff looked at.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from newsletter.compose.tellings import Stories, appeared
from newsletter.model import Article, Basis, Newsletter

HALF_LIFE = timedelta(days=3)
PER_DOUBLING = 0.5  # of the sources that tell a story
MOST_FOR_STORY = 1.0
PER_WEIGHT = 0.5  # for each step of staff's weight


def basis(article: Article, newsletter: Newsletter, *, at: datetime, stories: Stories) -> Basis:
    """What the article's rank in an issue sent at `at` (aware) rests on, still without its section."""
    age = max(at.astimezone(UTC) - appeared(article, newsletter.timezone), timedelta(0))
    tellers = stories.tellers(article, newsletter.source_ids)
    return Basis(
        fresh=0.5 ** (age / HALF_LIFE),
        story=min(PER_DOUBLING * math.log2(max(tellers, 1)), MOST_FOR_STORY),
        source=PER_WEIGHT * article.source_weight,
        article=PER_WEIGHT * article.weight,
    )


def best_first(ranked: Sequence[tuple[Article, Basis]], timezone: str) -> list[tuple[Article, Basis]]:
    """By score; of equals the newer one, then the id, so that the order never depends on chance."""
    return sorted(ranked, key=lambda one: (one[1].score, appeared(one[0], timezone), one[0].id), reverse=True)
