"""The articles considered for an issue as the review page shows them: in their groups, with what staff said of each.

Must never offer an act that is refused for sure: an article of another issue cannot be taken in, a held one neither.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from newsletter.app import App
from newsletter.compose.context import title_in
from newsletter.compose.design import find_design
from newsletter.compose.items import Group, grouped
from newsletter.errors import NewsletterError
from newsletter.model import Article, ArticleId, ArticleState, Decision, Item, ItemField, Newsletter, Override

FINAL = "already in"  # what a decision about an article of another issue begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """An article with the decision about it. `article` None: it is gone from the store, which never happens by itself."""

    decision: Decision
    article: Article | None
    said: Override | None = None

    @property
    def changed_since(self) -> bool:
        """The article's summary is another by now than the one in the issue, where the issue has no words of its own."""
        item, article = self.decision.item, self.article
        return (
            item is not None
            and ItemField.SUMMARY not in item.edited
            and article is not None
            and article.summary is not None
            and article.summary.text != item.summary
        )

    @property
    def act(self) -> str:
        """What the button of one that is not in the issue does: "in", "undo"; empty: there is none."""
        if self.said is not None and self.said.left_out:
            return "undo"
        able = self.article is not None and self.article.state is ArticleState.READY and self.article.summary
        return "in" if able and not self.decision.reason.startswith(FINAL) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One article in the issue. `highest`, `lowest`: it has no neighbour there to change places with."""

    item: Item
    one: Considered
    highest: bool
    lowest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Rows under one heading. `title` empty: those without a section."""

    kind: str  # "lead", "section" or "web"
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed into an item's form and refused, to be mended."""

    article_id: str
    fields: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


def leads(app: App, newsletter: Newsletter) -> bool:
    """Whether the newsletter's design sets the first article apart; one that cannot be read says nothing of it."""
    with suppress(NewsletterError):
        return find_design(newsletter.design, app.design_folders).layout.lead
    return True


def shelved(considered: Sequence[Considered], *, lead: bool, language: str) -> list[Shelf]:
    """The articles in the issue in the groups and the order of its mail (pure). `language`: of the section's titles."""
    by_id: dict[ArticleId, Considered] = {one.decision.article_id: one for one in considered}
    items = [one.decision.item for one in considered if one.decision.item]
    return [_shelf(group, by_id, language) for group in grouped(items, lead=lead)]


def _shelf(group: Group, by_id: Mapping[ArticleId, Considered], language: str) -> Shelf:
    last = len(group.items) - 1
    titles = next((item.section_titles for item in group.items if item.section_titles), {})
    rows = tuple(
        Row(item=item, one=by_id[item.article_id], highest=at == 0, lowest=at == last)
        for at, item in enumerate(group.items)
    )
    return Shelf(kind=group.kind, title=title_in(language, group.title or "", titles), rows=rows)


def known_sections(newsletter: Newsletter, considered: Sequence[Considered]) -> list[str]:
    """Titles that a form offers: the declared ones in their order, then those in use (pure)."""
    declared = [section.title for section in newsletter.sections if not section.takes_the_rest]
    used = [one.decision.item.section for one in considered if one.decision.item and one.decision.item.section]
    return list(dict.fromkeys([*declared, *used]))
