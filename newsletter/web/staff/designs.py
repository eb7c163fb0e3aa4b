"""How a newsletter looks: its design and that design's options, as a form with a preview. No template is touched.

Only `save` writes. What is typed but not saved stands in the URL of the page and of its preview.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter import compose
from newsletter.compose.context import NewsletterView
from newsletter.compose.design import Design, design_names, find_design
from newsletter.compose.obtaining import kept
from newsletter.compose.options import LONGEST, Mended, Option, said
from newsletter.compose.render import render_issue
from newsletter.compose.sample import NONCE, sample_context, sample_picture, with_sample_pictures
from newsletter.errors import BadInput, ConfigError, NewsletterError
from newsletter.locale import Labels
from newsletter.log import get_logger
from newsletter.mail.markers import fill
from newsletter.model import Issue, IssueState, Item, Newsletter
from newsletter.store import issues, newsletters
from newsletter.web.shield import framing_policy, rendering_policy
from newsletter.web.staff.acts import recompose
from newsletter.web.staff.preview import View, dressed, sample_values
from newsletter.web.visit import Visit

log = get_logger("web")

PREFIX = "o."  # of the form's fields, so that no option can be taken for a switch of the preview
SENT_BACK = "the design was changed"
_RECENT = 5  # issues looked through for one with articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One option as the form shows it."""

    option: Option
    typed: str  # as it was typed, or as it is set
    value: Any  # what is used: the typed value, or the default where that cannot be used
    fault: str = ""
    mended: Mended | None = None

    @property
    def name(self) -> str:
        return PREFIX + self.option.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A newsletter's look as the form has it, saved or not."""

    newsletter: Newsletter
    design: Design
    fields: tuple[Field, ...]

    @property
    def faulty(self) -> bool:
        return any(field.fault for field in self.fields)

    @property
    def options(self) -> dict[str, Any]:
        """What differs from the design's own values: a later change of these is followed."""
        return {f.option.name: f.value for f in self.fields if f.value != f.option.default}

    @property
    def groups(self) -> tuple[tuple[str, list[Field]], ...]:
        """The fields by what they are about; the names are labels."""
        colours = [field for field in self.fields if field.option.type == "colour"]
        logo = [field for field in self.fields if field.option.name.startswith("logo")]
        rest = [field for field in self.fields if field not in colours and field not in logo]
        named = (("Colours", colours), ("Logo", logo), ("Text and content", rest))
        return tuple((name, fields) for name, fields in named if fields)


# ---------------------------------------------------------------- pages


def listed(visit: Visit) -> Response:
    """The newsletters with their designs; a single one's page at once."""
    with visit.app.db.read() as conn:
        known = newsletters.listed(conn)
    if len(known) == 1:
        return visit.go(f"/staff/designs/{known[0].slug}")
    rows = [(one, _title(visit, one.design)) for one in known]
    return visit.page("staff/designs.html", rows=rows)


def _title(visit: Visit, name: str) -> str:
    try:
        return find_design(name, visit.app.design_folders).title(visit.language)
    except ConfigError:
        return name


def form(visit: Visit) -> Response:
    return _page(visit, _draft(visit, visit.request.query_params))


def save(visit: Visit) -> Response:
    """The form's values become the newsletter's; an issue that waits for approval is composed again with them."""
    assert visit.member is not None
    draft = _draft(visit, visit.form)
    if draft.faulty:
        return _page(visit, draft, status=422)
    changed: list[Issue] = []
    with visit.app.db.begin() as conn:
        present = _newsletter(visit)
        wanted = replace(present, design=draft.design.name, options=draft.options)
        if wanted != present:
            newsletters.save(conn, wanted, now=visit.now)
            waiting = issues.in_state(conn, IssueState.PENDING_APPROVAL)
            changed = [issue for issue in waiting if issue.newsletter_id == present.id]
            for issue in changed:
                issues.back_to_draft(conn, issue.id, reason=SENT_BACK)
            log.info("staff_design", newsletter=present.slug, design=wanted.design, staff=visit.member.id)
    for issue in changed:
        recompose(visit, issue.id)
    view = _view(visit, visit.form, draft.newsletter)
    return visit.go(f"/staff/designs/{draft.newsletter.slug}?saved=1&{view.query()}")


def frame(visit: Visit) -> Response:
    """The mail itself in the typed look, for the isolated frame."""
    given = visit.request.query_params
    draft = _draft(visit, given)
    view = _view(visit, given, draft.newsletter)
    try:
        html = _rendered(visit, draft, view.language)
    except NewsletterError as error:  # a design of one's own may be broken; the form must stay usable
        return PlainTextResponse(str(error), 422)
    policy = rendering_policy(framed_by="'self'", pictures=view.pictures)
    return HTMLResponse(dressed(html, scheme=view.scheme), headers={"Content-Security-Policy": policy})


def _page(visit: Visit, draft: Draft, *, status: int = 200) -> Response:
    given = visit.form or visit.request.query_params
    return visit.page(
        "staff/design.html",
        status=status,
        headers={"Content-Security-Policy": framing_policy()},
        draft=draft,
        newsletter=draft.newsletter,
        designs=[(one.name, one.title(visit.language)) for one in _usable(visit)],
        view=_view(visit, given, draft.newsletter),
        said=lambda words: said(words, visit.language),
        saved=visit.asked("saved") == "1" and not visit.form,
        query={field.name: field.typed for field in draft.fields} | {"design": draft.design.name},
    )


# ---------------------------------------------------------------- what was typed


def _newsletter(visit: Visit) -> Newsletter:
    with visit.app.db.read() as conn:
        found = newsletters.by_slug(conn, visit.part("slug"))
    if found is None:
        raise BadInput("there is no such newsletter")
    return found


def _usable(visit: Visit) -> list[Design]:
    """All designs but those whose design.toml cannot be read: `newsletter doctor` tells why."""
    found = []
    for name in design_names(visit.app.design_folders):
        with suppress(ConfigError):
            found.append(find_design(name, visit.app.design_folders))
    return found


def _draft(visit: Visit, given: Mapping[str, str]) -> Draft:
    """The newsletter's look with what was typed. Raises BadInput when the newsletter or the asked-for design is not there.

    Where the newsletter's own design is gone or broken, the form begins with the first that can be used.
    """
    newsletter = _newsletter(visit)
    asked = given.get("design") or newsletter.design
    usable = _usable(visit)
    design = next((one for one in usable if one.name == asked), None)
    if design is None and (given.get("design") or not usable):
        raise BadInput(f"there is no design {asked!r}")
    design = design or usable[0]
    fields = (_field(option, newsletter.options, given, visit.words) for option in design.options.values())
    return Draft(newsletter=newsletter, design=design, fields=tuple(fields))


def _field(option: Option, present: Mapping[str, Any], given: Mapping[str, str], words: Labels) -> Field:
    typed = given.get(PREFIX + option.name)
    value = present.get(option.name, option.default) if typed is None else option.parsed(typed)
    try:
        option.check(value, "")
    except ConfigError:
        if typed is None:  # set for another design, which had another option of that name
            return Field(option=option, typed=_shown(option.default), value=option.default)
        return Field(option=option, typed=typed, value=option.default, fault=_fault(option, words))
    return Field(option=option, typed=_shown(value), value=value, mended=option.mended(value))


def _shown(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _fault(option: Option, words: Labels) -> str:
    """What is wrong with a value that does not fit the option, in the reader's language."""
    if option.type == "colour":
        return words.gettext("This is not a colour. Write # and six digits, like #0B4F8A.")
    if option.type == "url":
        return words.gettext("This is not an https address.")
    if option.type == "integer" and option.most is not None:
        return words.gettext("Write a number from {least} to {most}.", least=option.least or 0, most=option.most)
    if option.type == "text":
        return words.gettext("Write at most {n} characters.", n=LONGEST)
    return words.gettext("This cannot be used here.")


# ---------------------------------------------------------------- the preview


def _view(visit: Visit, given: Mapping[str, str], newsletter: Newsletter) -> View:
    wanted = given.get("in", "")
    return View(
        language=wanted if wanted in newsletter.languages else newsletter.language,
        languages=newsletter.languages,
        shape="360" if given.get("width") == "360" else "600",
        scheme="dark" if given.get("scheme") == "dark" else "light",
        pictures=given.get("pictures") != "off",
    )


def _rendered(visit: Visit, draft: Draft, language: str) -> str:
    """The latest issue that has articles in the typed look, else an invented one."""
    values = sample_values(visit.app, language, now=visit.now)
    found = _latest(visit, draft.newsletter)
    if found is None:
        context = sample_context(
            9, language=language, options=draft.options, newsletter=_view_of(visit, draft, language)
        )
        rendering = render_issue(draft.design, context, nonce=NONCE, language=language)
        return with_sample_pictures(fill(rendering.html, NONCE, values, html=True))
    issue, items = found
    tried = replace(draft.newsletter, design=draft.design.name, options=draft.options)
    numbered = replace(issue, number=issue.number or 1)
    pictures = kept(
        visit.app,
        tried,
        items,
        draft.design,
        sizes=[size for one in _usable(visit) for size in (one.pictures.lead, one.pictures.item) if size],
        src=lambda image: visit.site.pages.path(f"/images/{image.name}"),
        drawn=sample_picture,
    )
    html, nonce = compose.look_of(visit.app, tried, numbered, items, language=language, pictures=pictures)
    return with_sample_pictures(fill(html, nonce, values, html=True))


def _latest(visit: Visit, newsletter: Newsletter) -> tuple[Issue, list[Item]] | None:
    with visit.app.db.read() as conn:
        for issue in issues.listed(conn, newsletter_id=newsletter.id, limit=_RECENT):
            items = [decision.item for decision in issues.decisions(conn, issue.id) if decision.item is not None]
            if items:
                return issue, items
    return None


def _view_of(visit: Visit, draft: Draft, language: str) -> NewsletterView:
    sender = visit.app.settings.sender
    return NewsletterView(
        name=draft.newsletter.name,
        organisation=sender.organisation or sender.name,
        postal_address=sender.postal_address,
        url=visit.app.settings.base_url,
        language=language,
    )
