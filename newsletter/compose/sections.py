"""Which section of a newsletter an article belongs to, and why. Pure. The first of the declared sections that takes it counts.

Must never leave an article without an answer: what no section takes stands under the default one.
"""

from dataclasses import dataclass

from newsletter.compose.context import title_in
from newsletter.locale.phrases import first_of, folded
from newsletter.model import Article, Newsletter, SectionRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """`title` None: the default section. `at`: the place among the declared sections, from 1; 0 when none is declared.

    `rule`: what the article was taken for, in words for a person.
    """

    title: str | None
    at: int
    rule: str
    section: SectionRule | None = None  # None: staff's own words, or the source's

    @property
    def limit(self) -> int | None:
        return self.section.limit if self.section else None


NOWHERE = Assigned(title=None, at=0, rule="")


def assigned(article: Article, newsletter: Newsletter, said: str | None = None) -> Assigned:
    """`said`: what staff said for this issue: a section's title in any of its languages, a title of their own, or ""."""
    if said is not None:
        return _by_staff(newsletter, said)
    if not newsletter.sections:
        rule = f"the section of the source {article.source_name}" if article.section else ""
        return Assigned(title=article.section, at=0, rule=rule)
    text = _text(article) if any(section.words for section in newsletter.sections) else ""
    for at, section in enumerate(newsletter.sections, 1):
        found = _taken_for(article, section, text)
        if found is not None:
            return _declared(section, at, found)
    return Assigned(title=None, at=len(newsletter.sections) + 1, rule="no section takes it")


def rest_title(newsletter: Newsletter, language: str) -> str:
    """What heads the items without a section; empty when the newsletter does not say."""
    rest = next((section for section in newsletter.sections if section.takes_the_rest), None)
    return title_in(language, rest.title, rest.titles) if rest else ""


def _declared(section: SectionRule, at: int, rule: str) -> Assigned:
    title = None if section.takes_the_rest else section.title
    return Assigned(title=title, at=at, rule=rule, section=section)


def _by_staff(newsletter: Newsletter, said: str) -> Assigned:
    for at, section in enumerate(newsletter.sections, 1):
        default = not said and section.takes_the_rest
        if default or folded(said) in map(folded, (section.title, *section.titles.values())):
            return _declared(section, at, "staff")
    last = len(newsletter.sections) + 1 if newsletter.sections else 0
    return Assigned(title=said or None, at=last, rule="staff")


def _text(article: Article) -> str:
    return folded("\n".join((article.title, article.standfirst or "", article.text)))


def _taken_for(article: Article, section: SectionRule, text: str) -> str | None:
    """What the section takes the article for; None when it does not. `text` as `folded` gives it."""
    if section.takes_the_rest:
        return "no other section takes it"
    if article.source_id in section.source_ids:
        return f"source {article.source_name}"
    own = {folded(topic) for topic in (*article.topics, *article.source_topics)}
    topic = next((topic for topic in section.topics if folded(topic) in own), None)
    if topic is not None:
        return f"topic {topic}"
    word = first_of(section.words, text)
    return f"word {word}" if word is not None else None
