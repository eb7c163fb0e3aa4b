"""Letters to one person: what each kind needs to know, and its subject. Pure; the words are in the catalogues.

confirm   asks whether the address's owner wants the newsletter; holds no text a stranger could have typed
welcome   says what comes and how to change or stop it
goodbye   says it is done; one link back, no plea
move      asks the owner of a new address whether a reader's mail may go there
moved     tells the old address of a reader that their mail goes elsewhere, with a way back; not where to
your_data brings the fresh link that export and erase need
notice    tells staff of something that waits for a person
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from newsletter.compose.safe import clean, http_url
from newsletter.errors import BadInput
from newsletter.locale import Labels
from newsletter.model import LetterKind


class NoticeTopic(StrEnum):
    DRAFT_WAITING = "draft_waiting"  # an issue waits for approval
    PREFLIGHT_ERRORS = "preflight_errors"  # an issue has errors and will not go out
    SOURCE_FAILING = "source_failing"  # a source could not be read several times
    SOURCE_PAUSED = "source_paused"  # a source is given up: gone for good, or unreadable for two weeks
    ARTICLES_DOUBTFUL = "articles_doubtful"  # articles that may be known already, held for a person
    UNKNOWN_LEFT = "unknown_left"  # deliveries whose fate a person must settle
    GROUP_STOPPED = "group_stopped"  # a receiver blocks our mail: nothing is sent there for now
    COMPOSE_FAILED = "compose_failed"  # an issue could not be rendered
    AUDIENCE_UNUSABLE = "audience_unusable"  # an approved issue waits: its list or segment cannot be used
    TRANSPORT_DOWN = "transport_down"  # an issue could not leave; it is tried again
    MAILBOX_UNREADABLE = "mailbox_unreadable"  # the mailbox for bounces refuses us
    WEBHOOK_DISABLED = "webhook_disabled"  # another program's webhook failed for days and is not called any more


_ALLOWED: Mapping[LetterKind, Mapping[str, type]] = {
    LetterKind.CONFIRM: {
        "expires_days": int,
        "form": str,
        "source": str,
    },  # what was shown, for the answer; not for print
    LetterKind.WELCOME: {"last_issue_url": str, "last_issue_title": str},
    LetterKind.GOODBYE: {"resubscribe_url": str},
    LetterKind.MOVE: {"from_person": str, "expires_hours": int},
    LetterKind.MOVED: {"from_person": str, "expires_days": int},
    LetterKind.YOUR_DATA: {"expires_hours": int},
    LetterKind.NOTICE: {"topic": str, "name": str, "count": int, "lines": list, "url": str},
}
_REQUIRED: Mapping[LetterKind, tuple[str, ...]] = {
    LetterKind.CONFIRM: ("expires_days",),
    LetterKind.WELCOME: (),
    LetterKind.GOODBYE: (),
    LetterKind.MOVE: ("from_person", "expires_hours"),
    LetterKind.MOVED: ("from_person", "expires_days"),
    LetterKind.YOUR_DATA: ("expires_hours",),
    LetterKind.NOTICE: ("topic", "name", "url"),
}
_EMPTY: Mapping[type, Any] = {int: 0, str: "", list: ()}
LINE_LIMIT = 300
LINES_LIMIT = 20


def letter_variables(kind: LetterKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a letter's templates: all of its kind, cleaned; those not given are empty.

    confirm: expires_days, form?, source?. welcome: last_issue_url?, last_issue_title?. goodbye: resubscribe_url?. move:
    from_person, expires_hours. moved: from_person, expires_days. your_data: expires_hours. notice: topic
    (NoticeTopic), name, url, count?, lines?. Raises BadInput for a missing, unknown or wrongly typed one.
    """
    allowed = _ALLOWED[kind]
    where = f"letter {kind}"
    for name in (*_REQUIRED[kind], *given):
        if name not in allowed:
            raise BadInput(f"there is no variable {name!r}", where=where, hint="it has " + ", ".join(allowed))
        if name not in given:
            raise BadInput(f"the variable {name!r} is missing", where=where)
        if not isinstance(given[name], allowed[name] | tuple if allowed[name] is list else allowed[name]):
            raise BadInput(f"the variable {name!r} cannot be {given[name]!r}", where=where)
    if kind is LetterKind.NOTICE and given["topic"] not in set(NoticeTopic):
        raise BadInput(f"unknown topic {given['topic']!r}", where=where, hint="use one of " + ", ".join(NoticeTopic))
    return {name: _safe(name, given.get(name, _EMPTY[kept])) for name, kept in allowed.items()}


def _safe(name: str, value: Any) -> Any:
    if name.endswith("url"):
        return http_url(value)
    if isinstance(value, str):
        return clean(value, limit=LINE_LIMIT)
    if isinstance(value, list | tuple):
        return tuple(clean(str(line), limit=LINE_LIMIT) for line in value[:LINES_LIMIT])
    return value


def letter_subject(kind: LetterKind, variables: Mapping[str, Any], newsletter: str, words: Labels) -> str:
    """The subject line; `variables` as letter_variables gives them."""
    if kind is LetterKind.CONFIRM:
        return words.gettext("Confirm your subscription to {newsletter}", newsletter=newsletter)
    if kind is LetterKind.WELCOME:
        return words.gettext("You are subscribed to {newsletter}", newsletter=newsletter)
    if kind is LetterKind.GOODBYE:
        return words.gettext("You have left {newsletter}", newsletter=newsletter)
    if kind is LetterKind.MOVE:
        return words.gettext("Confirm your new address for {newsletter}", newsletter=newsletter)
    if kind is LetterKind.MOVED:
        return words.gettext("Your address for {newsletter} was changed", newsletter=newsletter)
    if kind is LetterKind.YOUR_DATA:
        return words.gettext("Your data at {newsletter}", newsletter=newsletter)
    return notice_heading(variables, words)


def letter_preheader(kind: LetterKind, newsletter: str, organisation: str, words: Labels) -> str:
    if kind is LetterKind.CONFIRM:
        return words.gettext("One click and the first issue is on its way. Not you? Just ignore this mail.")
    if kind is LetterKind.WELCOME:
        return words.gettext(
            "What comes, and how to change or stop it. From {organisation}.", organisation=organisation
        )
    if kind is LetterKind.GOODBYE:
        return words.gettext("Done: no further issue of {newsletter} will reach this address.", newsletter=newsletter)
    if kind is LetterKind.MOVE:
        return words.gettext("One click and your mail comes here. Not you? Just ignore this mail.")
    if kind is LetterKind.MOVED:
        return words.gettext("Was that you? Then there is nothing to do. If not, you can undo it here.")
    if kind is LetterKind.YOUR_DATA:
        return words.gettext("The link to see, take away or erase what we hold. Not you? Just ignore this mail.")
    return words.gettext("A notice to the staff of {newsletter}; somebody has to look at it.", newsletter=newsletter)


def notice_heading(variables: Mapping[str, Any], words: Labels) -> str:
    """What happened, in one line; also the heading of the notice."""
    name, count = variables["name"], variables["count"]
    topic = NoticeTopic(variables["topic"])
    if topic is NoticeTopic.DRAFT_WAITING:
        return words.gettext("{name} waits for your approval", name=name)
    if topic is NoticeTopic.PREFLIGHT_ERRORS:
        return words.ngettext("{name} has {n} error to mend", "{name} has {n} errors to mend", count, name=name)
    if topic is NoticeTopic.SOURCE_FAILING:
        return words.gettext("The source {name} cannot be read", name=name)
    if topic is NoticeTopic.SOURCE_PAUSED:
        return words.gettext("The source {name} is no longer read", name=name)
    if topic is NoticeTopic.ARTICLES_DOUBTFUL:
        return words.ngettext(
            "{name}: {n} article may be known already", "{name}: {n} articles may be known already", count, name=name
        )
    if topic in (NoticeTopic.UNKNOWN_LEFT, NoticeTopic.GROUP_STOPPED, NoticeTopic.AUDIENCE_UNUSABLE):
        return _heading_of_mail(topic, name, count, words)
    if topic is NoticeTopic.TRANSPORT_DOWN:
        return words.gettext("{name} could not leave", name=name)
    if topic is NoticeTopic.MAILBOX_UNREADABLE:
        return words.gettext("The mailbox for bounces at {name} cannot be read", name=name)
    if topic is NoticeTopic.WEBHOOK_DISABLED:
        return words.gettext("The webhook {name} is not called any more", name=name)
    return words.gettext("{name} could not be composed", name=name)


def _heading_of_mail(topic: NoticeTopic, name: str, count: int, words: Labels) -> str:
    if topic is NoticeTopic.AUDIENCE_UNUSABLE:
        return words.gettext("{name} waits: it is not known whom to send it to", name=name)
    if topic is NoticeTopic.UNKNOWN_LEFT:
        return words.ngettext(
            "{name}: {n} delivery of unknown fate", "{name}: {n} deliveries of unknown fate", count, name=name
        )
    return words.ngettext(
        "{name} blocked {n} message; sending there is stopped",
        "{name} blocked {n} messages; sending there is stopped",
        count,
        name=name,
    )


def notice_advice(variables: Mapping[str, Any], words: Labels) -> str:
    """What the reader of a notice can do about it."""
    topic = NoticeTopic(variables["topic"])
    if topic is NoticeTopic.DRAFT_WAITING:
        return words.gettext(
            "Look at it on both screens, then approve it or put it back to draft. Nothing goes out before."
        )
    if topic is NoticeTopic.PREFLIGHT_ERRORS:
        return words.gettext("It stays where it is until the errors are mended and somebody approves it.")
    if topic is NoticeTopic.SOURCE_FAILING:
        return words.gettext("Other sources go on. It is tried again, with growing pauses, until it answers.")
    if topic is NoticeTopic.SOURCE_PAUSED:
        return words.gettext(
            "It is gone, or could not be read for a long time. Correct its address, resume it, or take it out."
        )
    if topic is NoticeTopic.ARTICLES_DOUBTFUL:
        return words.gettext(
            "They are held and go out only if somebody releases them. Release what is news, drop the rest."
        )
    if topic is NoticeTopic.UNKNOWN_LEFT:
        return words.gettext("The line broke before the answer came. Decide for each: sent, or send again.")
    if topic in (NoticeTopic.TRANSPORT_DOWN, NoticeTopic.GROUP_STOPPED, NoticeTopic.AUDIENCE_UNUSABLE):
        return _advice_on_sending(topic, words)
    if topic is NoticeTopic.MAILBOX_UNREADABLE:
        return words.gettext("The reason is below. Bounces wait there and are read once it is mended.")
    if topic is NoticeTopic.WEBHOOK_DISABLED:
        return words.gettext("Mend it and enable it again, or remove it. What it was not told can be seen in its list.")
    return words.gettext("The reason is below. Nothing was sent.")


def _advice_on_sending(topic: NoticeTopic, words: Labels) -> str:
    if topic is NoticeTopic.AUDIENCE_UNUSABLE:
        return words.gettext(
            "The reason is below. Mend its segment or list, and it goes out by itself until its latest start. Nobody got it yet."
        )
    if topic is NoticeTopic.TRANSPORT_DOWN:
        return words.gettext("The reason is below. Nobody is lost: it is tried again by itself until mail can leave.")
    return words.gettext(
        "Nobody there is given up: they wait. Its words are below; mend the cause, then let it go on, or wait some hours."
    )
