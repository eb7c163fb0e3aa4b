"""Issue or letter + design + language → one rendering: HTML and text with markers for per-reader values.

Pure but for reading template files. Never silently leaves something out: what the byte budget takes away is counted in
the mail ("and 3 more on the web") and returned as a finding.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from newsletter.compose.arrange import Arrangement, Squeeze, arrange, squeezes
from newsletter.compose.context import IssueContext, NewsletterView, subscriber_view
from newsletter.compose.design import Design
from newsletter.compose.letters import letter_preheader, letter_subject, letter_variables, notice_advice, notice_heading
from newsletter.compose.markup import html_from
from newsletter.compose.safe import clean, http_url
from newsletter.compose.segments import Marking
from newsletter.compose.templating import included_file, render_template
from newsletter.errors import TemplateError
from newsletter.locale import Labels, labels
from newsletter.mail.markers import marker, places
from newsletter.mail.segments import cut_rendering
from newsletter.model import Finding, LetterKind, Rendering

HTML_BUDGET = 100_000  # octets; Gmail clips at 102 kB (measured with markers, which real links exceed: see _weight)
MOST_SECONDS = 1.5  # of the processor, for all stages of one language; 60 items take 0.05
VALUE_ALLOWANCE = 120  # octets a per-reader value may be longer than its marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A rendering within the budget, and what had to go for it."""

    rendering: Rendering
    findings: tuple[Finding, ...]


def render_issue(
    design: Design, context: IssueContext, *, nonce: str, language: str, attribs: Collection[str] | None = None
) -> Rendering:
    """The issue in one language; `fit_issue` also tells what was shrunk. Raises TemplateError, ConfigError."""
    return fit_issue(design, context, nonce=nonce, language=language, attribs=attribs).rendering


def fit_issue(
    design: Design,
    context: IssueContext,
    *,
    nonce: str,
    language: str,
    budget: int = HTML_BUDGET,
    attribs: Collection[str] | None = None,
) -> Fitted:
    """The fullest rendering whose HTML is at most `budget` octets. `attribs`: those of readers that are declared; None: any.

    Weight falls with every stage of `squeezes`, so the stage is found by halving: 7 renderings for 60 items at most.
    Raises TemplateError when even the smallest is too heavy, or the design is faulty; ConfigError for a wrong option.
    """
    words = labels(language)
    variables = _issue_variables(design, context, words, nonce=nonce, attribs=attribs)
    stages = squeezes(context.items, design.layout, web_view=bool(context.issue.web_url))

    until = time.thread_time() + MOST_SECONDS

    def at(stage: Squeeze) -> tuple[Rendering, Arrangement]:
        if time.thread_time() > until:
            raise TemplateError(f"takes more than {MOST_SECONDS} seconds", where=f"{design.name}/digest.mjml.j2")
        return _render_stage(design, context, variables=variables, stage=stage, words=words, nonce=nonce)

    def fits(rendering: Rendering) -> bool:
        return _weight(cut_rendering(rendering, nonce).html, nonce) <= budget

    chosen, made = _first_fitting(stages, at, fits)
    if chosen is None:
        raise TemplateError(
            f"the design alone weighs {len(made[0].html.encode()):,} octets, more than {budget:,}",
            where=f"{design.name}/digest.mjml.j2",
        )
    losses = _losses((stages[0], chosen), made[1], len(context.items), budget)
    return Fitted(rendering=made[0], findings=(*losses, *_unmarked(design, context, made[0])))


def _first_fitting(
    stages: tuple[Squeeze, ...],
    at: Callable[[Squeeze], tuple[Rendering, Arrangement]],
    fits: Callable[[Rendering], bool],
) -> tuple[Squeeze | None, tuple[Rendering, Arrangement]]:
    made = at(stages[0])
    if fits(made[0]):
        return stages[0], made
    low, high = 1, len(stages)  # stages[low:high] are still in question; stages[high:] fit
    best: tuple[Squeeze, tuple[Rendering, Arrangement]] | None = None
    while low < high:
        middle = (low + high) // 2
        made = at(stages[middle])
        if fits(made[0]):
            best, high = (stages[middle], made), middle
        else:
            low = middle + 1
    return best or (None, made)  # nothing fits: `made` is the smallest


def _weight(html: str, nonce: str) -> int:
    """Octets once markers are replaced: counted with the longest usual value, so no reader's mail is clipped."""
    return len(html.encode()) + places(html, nonce) * VALUE_ALLOWANCE


def _losses(stages: tuple[Squeeze, Squeeze], made: Arrangement, items: int, budget: int) -> tuple[Finding, ...]:
    full, chosen = stages
    if chosen == full:
        return ()
    left = [
        *(["thumbnails left out"] if full.thumbnails and not chosen.thumbnails else []),
        *([f"{full.cards - chosen.cards} items without blurb"] if chosen.cards < full.cards else []),
        *([f"{made.more} of {items} items only on the web"] if made.more else []),
    ]
    message = f"shrunk to stay under {budget // 1000} kB: " + ", ".join(left)
    return (Finding(check="weight", level="warning", where="HTML", message=message),)


def _unmarked(design: Design, context: IssueContext, rendering: Rendering) -> tuple[Finding, ...]:
    if rendering.segments is not None or not any(item.topics for item in context.items):
        return ()
    message = (
        "the design does not mark its items with {% call segment(item) %}: readers who chose topics get everything"
    )
    return (Finding(check="topics", level="warning", where=design.name, message=message),)


def _issue_variables(
    design: Design, context: IssueContext, words: Labels, *, nonce: str, attribs: Collection[str] | None
) -> dict[str, Any]:
    issue = replace(
        context.issue,
        subject=clean(context.issue.subject),
        preheader=clean(context.issue.preheader),
        intro=clean(context.issue.intro),
        web_url=http_url(context.issue.web_url),
        more_url=http_url(context.issue.more_url),
    )
    return {
        **_common(design, context.options, newsletter=context.newsletter, words=words, nonce=nonce, attribs=attribs),
        "issue": issue,
        "web_url": issue.web_url,
        "more_url": issue.more_url or issue.web_url or http_url(context.newsletter.url),
    }


def _common(
    design: Design,
    options: Mapping[str, Any],
    *,
    newsletter: NewsletterView,
    words: Labels,
    nonce: str,
    attribs: Collection[str] | None,
) -> dict[str, Any]:
    """What all templates know: labels, options, who writes, and markers for what differs per reader."""
    return {
        "_": words.gettext,
        "ngettext": words.ngettext,
        "format_date": words.format_date,
        "format_number": words.format_number,
        "language": words.language,
        "direction": words.direction,
        "option": design.resolve(options),
        "newsletter": _clean_newsletter(newsletter),
        "subscriber": subscriber_view(nonce, words.language, attribs),
        **{name: marker(nonce, name) for name in ("unsubscribe_url", "preferences_url", "confirm_url")},
    }


def _clean_newsletter(newsletter: NewsletterView) -> NewsletterView:
    return replace(
        newsletter,
        name=clean(newsletter.name),
        organisation=clean(newsletter.organisation),
        postal_address=clean(newsletter.postal_address),
        url=http_url(newsletter.url) or "",
    )


def _render_stage(
    design: Design,
    context: IssueContext,
    *,
    variables: Mapping[str, Any],
    stage: Squeeze,
    words: Labels,
    nonce: str,
) -> tuple[Rendering, Arrangement]:
    made = arrange(
        context.items, design.layout, stage, rest_title=clean(context.rest_title) or words.gettext("More news")
    )
    given, issue = {**variables, "thumbnails": made.thumbnails}, variables["issue"]

    def rendered(marking: Marking) -> Rendering:
        both = {**given, **marking.variables(html=True)}, {**given, **marking.variables(html=False)}
        rendering = _rendering(design, ("digest.mjml.j2", "text.txt.j2"), both, (issue.subject, issue.preheader))
        return replace(rendering, segments=marking.segments())

    marking = Marking(made, words, nonce=nonce)
    rendering = rendered(marking)
    if not marking.complete:  # a design that marks no items: then nothing may be counted as left out either
        rendering = rendered(Marking(made, words, nonce=nonce, acts=False))
    return rendering, made


def _rendering(
    design: Design,
    names: tuple[str, str],
    variables: tuple[Mapping[str, Any], Mapping[str, Any]],
    lines: tuple[str, str],
) -> Rendering:
    """`names`, `variables`: of MJML and text template; `lines`: subject and preheader."""
    html_name, text_name = names
    try:
        marked = render_template(design.path, html_name, variables[0])
        html = html_from(marked, html_name, lambda file, at: included_file(design.path, file, variables[0], where=at))
        text = render_template(design.path, text_name, variables[1])
    except TemplateError as error:
        raise TemplateError(error.what, where=f"{design.name}/{error.where or html_name}", hint=error.hint) from error
    return Rendering(
        language=variables[0]["language"], subject=lines[0], preheader=lines[1], html=html, text=text.strip() + "\n"
    )


def render_letter(
    kind: LetterKind,
    variables: Mapping[str, Any],
    *,
    design: Design,
    newsletter: NewsletterView,
    nonce: str,
    language: str,
    options: Mapping[str, Any] | None = None,
    attribs: Collection[str] | None = None,
) -> Rendering:
    """A letter in one language. `design` is the folder of letters (find_letters), `variables` see letter_variables,
    `attribs` see fit_issue.

    Raises BadInput for missing or unknown variables, TemplateError and ConfigError as render_issue.
    """
    words = labels(language)
    own = letter_variables(kind, variables)
    common = _common(design, options or {}, newsletter=newsletter, words=words, nonce=nonce, attribs=attribs)
    name = common["newsletter"].name
    subject = letter_subject(kind, own, name, words)
    preheader = letter_preheader(kind, name, common["newsletter"].organisation, words)
    given = {**common, **own, "subject": subject, "preheader": preheader}
    if kind is LetterKind.NOTICE:
        given |= {"heading": notice_heading(own, words), "advice": notice_advice(own, words)}
    return _rendering(design, design.letter(kind), (given, given), (subject, preheader))
