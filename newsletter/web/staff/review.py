"""The review page of one issue: how it looks in an inbox and on two screens, what was found, why each article is in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from newsletter.approve import BY_POLICY
from newsletter.compose.context import LABEL_LIMIT, TITLE_LIMIT
from newsletter.compose.sections import rest_title
from newsletter.deliver.pace.report import report
from newsletter.model import (
    Counts,
    DeliveryState,
    Finding,
    Issue,
    IssueState,
    Mailing,
    Newsletter,
    StaffId,
)
from newsletter.settings.sender import domain_of
from newsletter.store import Connection, articles, edits, issues, mailings, newsletters, receipts, sendings, staff
from newsletter.summarise.edit import LONGEST
from newsletter.web.public.issues import rendering_in
from newsletter.web.shield import framing_policy
from newsletter.web.staff.itemdesk import Considered, Typed, known_sections, leads, shelved
from newsletter.web.staff.marking import needles_of
from newsletter.web.staff.overview import FROZEN, mailable
from newsletter.web.staff.preview import look, view_of
from newsletter.web.visit import Visit

LEVELS = ("error", "warning", "note")
FRESH = timedelta(seconds=15)  # what a sender wrote so lately is shown as it is
TOLD = (DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN)  # the states that ask "why?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding, however many renderings have it. `wheres`: `vi: html`, `en: html`. `number`: its place in the report."""

    finding: Finding
    wheres: list[str]
    number: int

    @property
    def in_text(self) -> bool:
        """Whether it is about the plain text, and shown there."""
        return self.wheres[0].endswith("text")

    @property
    def language(self) -> str:
        """Of the rendering it was found in first; "" of all."""
        return self.wheres[0].partition(": ")[0] if ": " in self.wheres[0] else ""

    @property
    def shown(self) -> bool:
        """Whether the preview has a place to show."""
        return self.in_text or bool(needles_of(self.finding))


def together(findings: Sequence[Finding]) -> list[Found]:
    """Errors first; what several languages share stands once (pure)."""
    same: dict[tuple[str, str], Found] = {}
    for number, finding in sorted(enumerate(findings), key=lambda pair: LEVELS.index(pair[1].level)):
        known = same.setdefault((finding.check, finding.message), Found(finding=finding, wheres=[], number=number))
        known.wheres.append(finding.where)
    return list(same.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that the page says about one issue."""

    issue: Issue
    newsletter: Newsletter
    mailing: Mailing | None
    counts: Counts | None  # once the audience is frozen
    recipients: int
    reasons: list[tuple[str, str, int]]
    considered: list[Considered]
    approved_by: str  # a name; empty: nobody, or the newsletter's policy

    @property
    def included(self) -> list[Considered]:
        return [one for one in self.considered if one.decision.included]

    @property
    def left_out(self) -> list[Considered]:
        return [one for one in self.considered if not one.decision.included]

    @property
    def findings(self) -> list[Found]:
        return together(self.issue.preflight)

    @property
    def errors(self) -> int:
        return sum(one.finding.level == "error" for one in self.findings)


def review(visit: Visit) -> Response:
    return page(visit)


def page(
    visit: Visit,
    *,
    status: int = 200,
    refused: str = "",
    test_fault: str = "",
    test_address: str = "",
    typed_intro: str | None = None,
    typed_item: Typed | None = None,
    nobody: bool = False,
) -> Response:
    """The page, also after a refused act, which it then says. `test_address`, `typed_…`: what was typed, to be mended.
    `nobody`: the reader asked for is not here."""
    with visit.app.db.read() as conn:
        dossier = read(visit, conn, visit.part("id"))
    view = view_of(visit, dossier.mailing)
    rendering = rendering_in(dossier.mailing, view.language) if dossier.mailing else None
    return visit.page(
        "staff/issue.html",
        status=status,
        headers={"Content-Security-Policy": framing_policy()},
        dossier=dossier,
        issue=dossier.issue,
        newsletter=dossier.newsletter,
        view=view,
        rendering=rendering,
        look=look(visit, dossier.mailing, view),
        nobody=nobody,
        refused=refused,
        test_fault=test_fault,
        test_address=test_address,
        intro=dossier.issue.intros.get(view.language, "") if typed_intro is None else typed_intro,
        longest=LONGEST,
        longest_title=TITLE_LIMIT,
        longest_section=LABEL_LIMIT,
        shelves=shelved(dossier.considered, lead=leads(visit.app, dossier.newsletter), language=visit.language),
        sections=known_sections(dossier.newsletter, dossier.considered),
        rest=rest_title(dossier.newsletter, visit.language) or visit.words.gettext("More news"),
        typed_item=typed_item,
        tested=visit.asked("tested") == "1",
        **sending_now(visit, dossier.issue, dossier.counts),
        can=allowed(dossier.issue.state),
    )


def sending(visit: Visit) -> Response:
    """Only how far the sending has come: what the page's script asks for every two seconds."""
    with visit.app.db.read() as conn:
        issue = issues.get(conn, visit.part("id"))
        known = sendings.find(conn, issue.mailing_id) if issue.mailing_id else None
        fresh = known is not None and visit.now - known.at < FRESH and issue.state is IssueState.SENDING
        counts = None if fresh or issue.mailing_id is None else receipts.count(conn, issue.mailing_id)
    return visit.page("staff/sending.html", issue=issue, **sending_now(visit, issue, counts))


def sending_now(visit: Visit, issue: Issue, counts: Counts | None) -> dict[str, Any]:
    """`run`, `told` and `planned` of the page. Without `counts` what the sender wrote last counts: a million rows are dear."""
    with visit.app.db.read() as conn:
        known = sendings.find(conn, issue.mailing_id) if issue.mailing_id else None
        told = report(visit.app, conn, visit.now)
        list_slug = newsletters.get(conn, issue.newsletter_id).list_slug
    sender = visit.app.settings.sender
    planned = told.plan_of(domain_of(sender.address_of(list_slug)))
    if counts is not None:
        now = sendings.followed(None, counts, now=visit.now)
        known = replace(now, rate=known.rate) if known is not None and visit.now - known.at < sendings.STALE else now
    return {"run": known, "told": told, "planned": planned}


def read(visit: Visit, conn: Connection, issue_id: str) -> Dossier:
    """Raises BadInput when there is no such issue."""
    issue = issues.get(conn, issue_id)
    newsletter = newsletters.get(conn, issue.newsletter_id)
    mailing = mailings.get(conn, issue.mailing_id) if issue.mailing_id else None
    said = edits.overrides(conn, issue.id)
    frozen = mailing is not None and (issue.state in FROZEN or issue.state is IssueState.CANCELLED)
    counts = receipts.count(conn, mailing.id) if mailing is not None and frozen else None
    if counts is not None and counts.frozen == 0 and issue.state not in FROZEN:
        counts = None  # cancelled before anybody was frozen
    return Dossier(
        issue=issue,
        newsletter=newsletter,
        mailing=mailing,
        counts=counts,
        recipients=counts.frozen if counts else mailable(visit, conn, newsletter),
        reasons=receipts.reasons(conn, mailing.id, *TOLD) if mailing is not None and counts else [],
        considered=[
            Considered(
                decision=decision, article=articles.get(conn, decision.article_id), said=said.get(decision.article_id)
            )
            for decision in issues.decisions(conn, issue.id)
        ],
        approved_by=name_of(conn, issue.approved_by),
    )


def name_of(conn: Connection, approved_by: str | None) -> str:
    """A staff member's name; whatever else stands there (the command line writes the name of its user)."""
    if not approved_by or approved_by == BY_POLICY:
        return ""
    return staff.name_of(conn, StaffId(approved_by)) or approved_by


_BEFORE = (IssueState.DRAFT, IssueState.PENDING_APPROVAL, IssueState.SCHEDULED)
_ACTS = {
    "approve": (IssueState.PENDING_APPROVAL,),
    "arrange": _BEFORE,
    "intro": (IssueState.DRAFT, IssueState.PENDING_APPROVAL),
    "draft": (IssueState.PENDING_APPROVAL, IssueState.SCHEDULED),
    "cancel": (*_BEFORE, IssueState.SENDING, IssueState.PAUSED),
    "pause": (IssueState.SENDING,),
    "resume": (IssueState.PAUSED,),
    "again": (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT),
    "reopen": (IssueState.SKIPPED, IssueState.FAILED),
}


def allowed(state: IssueState) -> dict[str, bool]:
    """Which acts the page offers in a state (pure). The store decides again when one is asked for."""
    return {act: state in states for act, states in _ACTS.items()}
