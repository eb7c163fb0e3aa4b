"""Compose: takes issues in draft and letters asked for, leaves them rendered, checked and hashed. Never sends.

draft issue → choose articles (select) → render each language (render) → preflight on a finished message (preflight)
→ pending approval, with a decision recorded for every article considered
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import subscribers
from newsletter.app import App
from newsletter.compose import select
from newsletter.compose.context import IssueContext, IssueView, NewsletterView, item_views
from newsletter.compose.design import Design, find_design, find_letters
from newsletter.compose.intro import intro
from newsletter.compose.items import doubtful
from newsletter.compose.letters import NoticeTopic
from newsletter.compose.manifest import manifest_of
from newsletter.compose.obtaining import obtain
from newsletter.compose.pictures import Shown, with_pictures
from newsletter.compose.preflight import preflight_issue
from newsletter.compose.render import fit_issue, render_issue, render_letter
from newsletter.compose.sections import rest_title
from newsletter.compose.tellings import Stories
from newsletter.errors import ConfigError, NewsletterError, NotAllowed
from newsletter.log import get_logger
from newsletter.mail.manifest import content_hash
from newsletter.mail.markers import make_nonce
from newsletter.mail.segments import cut_rendering
from newsletter.model import (
    ArticleId,
    Decision,
    Finding,
    Issue,
    IssueState,
    Item,
    ItemField,
    Letter,
    LetterKind,
    Mailing,
    MailingId,
    MailingKind,
    MailingState,
    Newsletter,
    Override,
    Rendering,
    new_id,
)
from newsletter.store import (
    Connection,
    articles,
    deliveries,
    edits,
    images,
    issues,
    letters,
    mailings,
    newsletters,
    sources,
    stories,
    summaries,
    versions,
)

log = get_logger("compose")

AS_PUBLISHED = Shown()
CONFIRM_DAYS = 7  # readers.CONFIRM_WITHIN keeps what the letter says; a test holds the two together


def run(app: App, now: datetime) -> int:
    """Compose everything that waits. One faulty design never stops the other issues or letters."""
    return compose_issues(app, now) + compose_letters(app, now)


# ---------------------------------------------------------------- issues


def compose_issues(app: App, now: datetime) -> int:
    composed = 0
    with app.db.read() as conn:
        drafts = issues.in_state(conn, IssueState.DRAFT)
    for draft in drafts:
        try:
            composed += compose_issue(app, draft, now)
        except NotAllowed:  # another process composed it while we did; its content counts
            log.info("composed_elsewhere", issue=draft.id)
        except NewsletterError as error:
            log.error("compose_failed", issue=draft.id, reason=str(error))
            app.watch("compose", str(error))
            with suppress(NotAllowed), app.db.begin() as conn:
                issues.fail(conn, draft.id, str(error))
                _tell_staff_it_failed(app, conn, draft, str(error), now)
    return composed


def compose_issue(app: App, draft: Issue, now: datetime) -> int:
    """Compose one draft. 0 when there is nothing new: it waits until its send moment, then it is skipped, visibly."""
    with app.db.read() as conn:
        newsletter = newsletters.get(conn, draft.newsletter_id)
        overrides = edits.overrides(conn, draft.id)
        decisions = _decide(app, conn, newsletter, draft=draft, overrides=overrides, now=now)
        number = issues.next_number(conn, draft)
        items = [decision.item for decision in decisions if decision.item is not None]
        doubts = doubtful(conn, items, overrides)
    if not items:
        _nothing_new(app, draft, decisions, now)
        return 0
    pictures = obtain(app, newsletter, items, find_design(newsletter.design, app.design_folders), now=now)
    if app.stopping.is_set():
        return 0  # not all pictures are here: it stays a draft, and the next start composes it
    numbered = replace(draft, number=number)
    mailing, findings = render_mailing(app, newsletter, numbered, items, now=now, pictures=pictures)
    first = mailing.renderings[0]
    with app.db.begin() as conn:
        newsletters.take_turn(conn, newsletter.id)
        if _outdated(conn, draft, items, overrides):
            log.info("changed_meanwhile", issue=draft.id)  # it stays a draft, and the next run composes it
            return 0
        issues.composed(
            conn,
            draft,
            number=number,
            decisions=decisions,
            mailing_id=mailing.id,
            subject=first.subject,
            preheader=first.preheader,
            content_hash=mailing.content_hash,
            preflight=(*doubts, *findings),
        )
        mailings.discard_composed(conn, draft.id)
        mailings.add(conn, mailing, now=now)
        images.clean(conn, now=now)
        versions.keep(conn, draft.id, mailing.manifest or {}, content_hash=mailing.content_hash, now=now)
    log.info("issue_composed", issue=draft.id, items=len(items), findings=len(findings))
    app.watch("compose", f"#{number} {first.subject}", len(items), len(items))
    return 1


def _decide(
    app: App,
    conn: Connection,
    newsletter: Newsletter,
    *,
    draft: Issue,
    overrides: Mapping[ArticleId, Override],
    now: datetime,
) -> list[Decision]:
    ages = {source.id: source.max_age for source in sources.of_newsletter(conn, newsletter.id)}
    found = [*articles.ready_for(conn, newsletter.id), *articles.held_for(conn, newsletter.id)]
    known = {article.id for article in found}
    asked = (articles.get(conn, article_id) for article_id in overrides if article_id not in known)
    candidates = [*found, *(article for article in asked if article is not None)]
    return select.choose(
        candidates,
        newsletter,
        now=now,
        used=issues.used(conn, newsletter.id),
        max_age=ages,
        base_url=app.settings.base_url,
        stories=Stories(told=stories.tellings(conn, [article.id for article in candidates])),
        overrides=overrides,
        send_at=draft.send_at,
        lead=find_design(newsletter.design, app.design_folders).layout.lead,
    )


def _outdated(conn: Connection, draft: Issue, items: Sequence[Item], overrides: Mapping[ArticleId, Override]) -> bool:
    """While we rendered, a person changed a summary, the intro or an item, or another issue took an article."""
    said = summaries.texts(conn, [item.article_id for item in items])
    taken = issues.used(conn, draft.newsletter_id)
    return (
        issues.get(conn, draft.id).intros != draft.intros
        or edits.overrides(conn, draft.id) != overrides
        or any(item.article_id in taken for item in items)
        or any(
            said.get(item.article_id, item.summary) != item.summary
            for item in items
            if ItemField.SUMMARY not in item.edited
        )
    )


def _nothing_new(app: App, draft: Issue, decisions: Sequence[Decision], now: datetime) -> None:
    with app.db.begin() as conn:
        if now >= draft.send_at:
            issues.skip(conn, draft.id, "nothing new", seen=draft.state)
            log.info("issue_skipped", issue=draft.id, reason="nothing new")
            app.watch("compose", "nothing new")
        else:
            issues.waits(conn, draft.id, reason="nothing new yet")
        issues.considered(conn, draft.id, decisions)


def render_mailing(
    app: App,
    newsletter: Newsletter,
    issue: Issue,
    items: Sequence[Item],
    *,
    now: datetime,
    pictures: Shown = AS_PUBLISHED,
) -> tuple[Mailing, tuple[Finding, ...]]:
    """The mailing of a numbered issue: one rendering per language, their hash, and what preflight says of a message."""
    design = find_design(newsletter.design, app.design_folders)
    nonce = make_nonce(app.nonce_secret, issue.id)
    renderings: list[Rendering] = []
    findings: list[Finding] = list(pictures.findings)
    contexts: dict[str, IssueContext] = {}
    attribs = _declared(app)
    for language in newsletter.languages:
        context = _context(app, newsletter, issue, items, design=design, language=language, pictures=pictures)
        contexts[language] = context
        fitted = fit_issue(design, context, nonce=nonce, language=language, attribs=attribs)
        renderings.append(fitted.rendering)
        findings += fitted.findings
    sender_name = newsletter.name
    shown = tuple(name for name in pictures.images if any(name in rendering.html for rendering in renderings))
    mailing = Mailing(
        id=MailingId(new_id()),
        kind=MailingKind.ISSUE,
        state=MailingState.COMPOSED,
        issue_id=issue.id,
        list_slug=newsletter.list_slug,
        sender_name=sender_name,
        unknown_policy=newsletter.unknown_policy,
        content_hash=_hash(app, renderings, sender_name, newsletter.list_slug, shown),
        nonce=nonce,
        renderings=tuple(renderings),
        images=shown,
        manifest=manifest_of(contexts, items, nonce=nonce, design=design, settings=_settings(app, newsletter)),
    )
    findings += preflight_issue(app, mailing, items, now=now)
    return mailing, tuple(dict.fromkeys(findings))


def look_of(
    app: App, newsletter: Newsletter, issue: Issue, items: Sequence[Item], *, language: str, pictures: Shown
) -> tuple[str, str]:
    """A numbered issue as a reader without topics would get it: its HTML, and the nonce of the markers in it.

    For trying a design: nothing is checked, nobody is asked, nothing is written. Raises as `render_issue`.
    """
    design = find_design(newsletter.design, app.design_folders)
    nonce = make_nonce(app.nonce_secret, issue.id)
    context = _context(app, newsletter, issue, items, design=design, language=language, pictures=pictures)
    rendering = render_issue(design, context, nonce=nonce, language=language, attribs=_declared(app))
    return cut_rendering(rendering, nonce).html, nonce


def _context(
    app: App,
    newsletter: Newsletter,
    issue: Issue,
    items: Sequence[Item],
    *,
    design: Design,
    language: str,
    pictures: Shown,
) -> IssueContext:
    assert issue.number is not None, "given before it is rendered"
    day = issue.send_at.astimezone(ZoneInfo(newsletter.timezone)).date()
    told = design.resolve(newsletter.options).get("intro_stories", 2)
    made = intro(items, language, newsletter.timezone, today=day, stories=told)
    views = item_views(items, newsletter.timezone, language, offered=_offered(app, newsletter))
    return IssueContext(
        issue=IssueView(
            number=issue.number,
            subject=select.subject(newsletter, items, language),
            preheader=select.preheader(newsletter, items, language),
            date=day,
            intro=issue.intros.get(language) or made,
            intro_made=language not in issue.intros,
            web_url=app.url(f"/issues/{issue.id}?lang={language}"),
            more_url=app.url(f"/issues/{issue.id}/all?lang={language}"),
        ),
        newsletter=_newsletter_view(app, newsletter.name, language),
        items=with_pictures(views, pictures),
        options=newsletter.options,
        rest_title=rest_title(newsletter, language),
    )


def _settings(app: App, newsletter: Newsletter) -> dict[str, object]:
    """What decides about the message beside its renderings."""
    sender = app.settings.sender
    return {
        "newsletter": newsletter.slug,
        "timezone": newsletter.timezone,
        "list": newsletter.list_slug,
        "from": f"{newsletter.name} <{sender.address_of(newsletter.list_slug)}>",
        "reply_to": sender.reply_to,
        "unknown_policy": newsletter.unknown_policy,
    }


def _offered(app: App, newsletter: Newsletter) -> frozenset[str]:
    """The topics readers may choose: the labels staff gave to sources, not the names found in articles."""
    with app.db.read() as conn:
        return frozenset(topic for source in sources.of_newsletter(conn, newsletter.id) for topic in source.topics)


def _declared(app: App) -> frozenset[str]:
    """The attributes of readers that templates may name."""
    with app.db.read() as conn:
        return frozenset(one.slug for one in subscribers.list_attributes(conn))


def _newsletter_view(app: App, name: str, language: str) -> NewsletterView:
    sender = app.settings.sender
    return NewsletterView(
        name=name,
        organisation=sender.organisation or sender.name,
        postal_address=sender.postal_address,
        url=app.settings.base_url,
        language=language,
    )


def _hash(
    app: App, renderings: Sequence[Rendering], sender_name: str, list_slug: str | None, images: Sequence[str] = ()
) -> str:
    sender = f"{sender_name} <{app.settings.sender.address_of(list_slug)}>"
    return content_hash(renderings, sender=sender, list_id=list_slug, images=images)


def _tell_staff_it_failed(app: App, conn: Connection, draft: Issue, reason: str, now: datetime) -> None:
    variables = {
        "topic": NoticeTopic.COMPOSE_FAILED.value,
        "name": draft.occurrence,
        "lines": [reason],
        "url": app.url(f"/staff/issues/{draft.id}"),
    }
    letters.tell_staff(conn, f"failed:{draft.id}:{reason}"[:180], variables, now=now)


# ---------------------------------------------------------------- letters


def compose_letters(app: App, now: datetime) -> int:
    """Render the letters asked for; each becomes a mailing of one person, due at once."""
    done = 0
    with app.db.read() as conn:
        asked = letters.asked(conn)
    if not asked:
        return 0
    design = find_letters(app.design_folders)
    for letter in asked:
        try:
            with app.db.begin() as conn:
                if letters.rendered(conn, letter.mailing_id):
                    compose_letter(app, conn, letter, design, now)
                    done += 1
        except (NewsletterError, subscribers.SubscribersError) as error:
            log.error("letter_failed", letter=letter.mailing_id, reason=str(error))
            with app.db.begin() as conn:
                letters.failed(conn, letter.mailing_id, str(error))
    return done


def _letter_options(app: App, conn: Connection, design: Design, list_slug: str | None) -> Mapping[str, object]:
    """The accent and the like of the first active newsletter of the list, so that its letters look as its issues do.

    A design that is gone or broken, or says something else by a name, costs a letter its colour, never the letter.
    """
    if list_slug is None:
        return {}
    found = next((one for one in newsletters.listed(conn, active_only=True) if one.list_slug == list_slug), None)
    if found is None:
        return {}
    with suppress(ConfigError):
        theirs = find_design(found.design, app.design_folders)
        shared = {
            name: value
            for name, value in theirs.checked(found.options).items()
            if name in design.options and design.options[name].type == theirs.options[name].type
        }
        return design.checked(shared)
    return {}


def compose_letter(app: App, conn: Connection, letter: Letter, design: Design, now: datetime) -> None:
    nonce = make_nonce(app.nonce_secret, letter.mailing_id)
    name = subscribers.get_list(conn, letter.list_slug).name if letter.list_slug else app.settings.sender.name
    variables = dict(letter.variables)
    if letter.kind is LetterKind.CONFIRM:
        variables["expires_days"] = CONFIRM_DAYS
    rendering = render_letter(
        letter.kind,
        variables,
        design=design,
        newsletter=_newsletter_view(app, name, letter.language),
        nonce=nonce,
        language=letter.language,
        options=_letter_options(app, conn, design, letter.list_slug),
        attribs=frozenset(one.slug for one in subscribers.list_attributes(conn)),
    )
    # Only a welcome belongs to the list already: a confirmation has no unsubscribe link, a goodbye needs none.
    list_slug = letter.list_slug if letter.kind is LetterKind.WELCOME else None
    sender_name = app.settings.sender.name
    mailing = Mailing(
        id=letter.mailing_id,
        kind=MailingKind.LETTER,
        state=MailingState.COMPOSED,
        issue_id=None,
        list_slug=list_slug,
        sender_name=sender_name,
        unknown_policy="hold",
        content_hash=_hash(app, [rendering], sender_name, list_slug),
        nonce=nonce,
        renderings=(rendering,),
    )
    mailings.add(conn, mailing, now=now)
    deliveries.freeze_for(
        conn,
        letter.mailing_id,
        letter.person_id,
        language=rendering.language,
        mail_group=subscribers.person(conn, letter.person_id).mail_group,
        now=now,
    )
