"""From a mailing and the people claimed for it to built messages. Addresses pass through here in memory only."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import subscribers
from newsletter.app import App, Outgoing
from newsletter.errors import NotAllowed
from newsletter.log import get_logger, one_line
from newsletter.mail.compile import Frame, compile_message
from newsletter.mail.frames import attribute_values, frame_of, reader_of
from newsletter.mail.inline import embedded_in
from newsletter.mail.manifest import content_hash
from newsletter.mail.replies import mask_addresses
from newsletter.model import DeliveryState, Image, Mailing, MailingId, MailingKind
from newsletter.store import Connection, images, issues, mailings
from newsletter.store.deliveries import Claim, Result
from subscribers import Attribute, Envelope, NotMailable

log = get_logger("deliver")


class Messages:
    """One mailing, compiled once per language; splices a message for each reader."""

    def __init__(
        self,
        app: App,
        mailing: Mailing,
        frame: Frame,
        embedded: Mapping[str, Sequence[Image]],
        *,
        attributes: Sequence[Attribute] = (),
    ) -> None:
        """`embedded`: the pictures inside the messages of each language. `attributes`: those of people that are declared."""
        self._app, self.mailing, self._attributes = app, mailing, attributes
        self._zone = ZoneInfo(app.settings.timezone)  # the day somebody joined is the day it was here
        # An issue's people must still be subscribed when it goes; letters and tests go to whom they were asked for.
        self.checked_list = mailing.list_slug if mailing.kind is MailingKind.ISSUE else None
        signer = app.signers.of(frame.from_address)
        self._compiled = {
            rendering.language: compile_message(
                rendering, frame, nonce=mailing.nonce, signer=signer, images=embedded[rendering.language]
            )
            for rendering in mailing.renderings
        }
        self._default = mailing.renderings[0].language
        self._is_cut = mailing.kind is MailingKind.ISSUE  # a test shows all of it

    def build(self, conn: Connection, claims: Sequence[Claim]) -> Iterator[Outgoing | Result]:
        """A message for each claimed row, or the result that closes it: nobody to mail, or not mailable."""
        by_person = {claim.person_id: claim for claim in claims}
        found = subscribers.envelopes(conn, self.checked_list, list(by_person), key=self._app.suppression_key)
        for entry in found:
            claim = by_person.pop(entry.person_id)
            if isinstance(entry, NotMailable):
                yield _skipped(claim, entry.reason)
                continue
            language = self._language(claim.language)
            topics = entry.topics if self._is_cut else ()
            if not self._compiled[language].serves(topics):
                yield _skipped(claim, "no chosen topic")
            else:
                yield self._outgoing_or_failed(claim, entry, language, topics)
        for claim in by_person.values():
            yield _skipped(claim, "no such person")

    def _outgoing_or_failed(
        self, claim: Claim, envelope: Envelope, language: str, topics: tuple[str, ...]
    ) -> Outgoing | Result:
        """One reader's values that cannot be put into a message cost that reader's message, and no other."""
        try:
            return self._outgoing(claim, envelope, language, topics)
        except Exception as error:
            log.exception("unrenderable", mailing=self.mailing.id, person=claim.person_id)
            reason = f"unrenderable: {one_line(error)}"
            return Result(
                person_id=claim.person_id, epoch=claim.epoch, state=DeliveryState.FAILED, reason=mask_addresses(reason)
            )

    def _outgoing(self, claim: Claim, envelope: Envelope, language: str, topics: tuple[str, ...]) -> Outgoing:
        compiled = self._compiled[language]
        since = envelope.since or claim.frozen_at
        reader = reader_of(
            self.mailing,
            claim.person_id,
            keyring=self._app.keyring,
            base_url=self._app.settings.base_url,
            address=envelope.address,
            name=envelope.name,
            since=(since.astimezone(self._zone) if "subscribed_since" in compiled.wanted else since).date(),
            language=language,
            topics=topics,
            time_zone=envelope.time_zone,
            attribs=self._attribs(envelope, language, compiled.wanted) if self._attributes else None,
            wanted=compiled.wanted,
        )
        return Outgoing(
            mailing_id=self.mailing.id,
            list_slug=self.checked_list,
            person_id=claim.person_id,
            epoch=claim.epoch,
            tries=claim.tries,
            frozen_at=claim.frozen_at,
            refused_at=claim.refused_at,
            mail_group=claim.mail_group,
            message=compiled.splice(reader),
        )

    def _attribs(self, envelope: Envelope, language: str, wanted: Collection[str]) -> Mapping[str, str]:
        return attribute_values(self._attributes, envelope.attributes, language=language, wanted=wanted)

    def _language(self, wanted: str | None) -> str:
        """The rendering a reader gets: their language when there is one in it, else the default."""
        if wanted in self._compiled:
            return wanted
        short = (wanted or "").split("-")[0].lower()
        return short if short in self._compiled else self._default


def of_mailing(app: App, conn: Connection, mailing_id: MailingId) -> Messages:
    """Compile a mailing for sending. Raises NotAllowed when its content is not what was approved."""
    mailing = mailings.get(conn, mailing_id)
    refuse_other_content(app, conn, mailing)
    list_name = subscribers.get_list(conn, mailing.list_slug).name if mailing.list_slug is not None else None
    started = mailings.started_at(conn, mailing_id)  # one Date for every message and every retry
    frame = frame_of(app.settings.sender, mailing, list_name=list_name, date=started)
    pictures = embedded(conn, mailing, frame.pictures or frame.domain)
    return Messages(app, mailing, frame, pictures, attributes=subscribers.list_attributes(conn))


def embedded(conn: Connection, mailing: Mailing, domain: str) -> Mapping[str, Sequence[Image]]:
    """Language → the pictures inside its messages. Raises NotAllowed when one is not there, or not what was approved."""
    wanted = {r.language: embedded_in(r.html, mailing.images, domain) for r in mailing.renderings}
    names = [name for name in mailing.images if any(name in chosen for chosen in wanted.values())]
    found = {image.name: image for image in images.read(conn, names) if image.is_true}
    missing = [name for name in names if name not in found]
    if missing:
        raise NotAllowed(
            "a picture of the approved content is missing or damaged",
            where=f"{mailing.issue_id or mailing.id}: {missing[0]}",
            hint="restore it from a backup and resume, or cancel",
        )
    return {language: [found[name] for name in chosen] for language, chosen in wanted.items()}


def refuse_other_content(app: App, conn: Connection, mailing: Mailing) -> None:
    """What was approved is what is sent: an issue's stored renderings must still hash to the approved value."""
    if mailing.kind is not MailingKind.ISSUE:
        return  # nobody approves a letter or a test
    sender = app.settings.sender
    actual = content_hash(
        mailing.renderings,
        sender=f"{mailing.sender_name} <{sender.address_of(mailing.list_slug)}>",
        list_id=mailing.list_slug,
        images=mailing.images,
    )
    approved = (
        issues.get(conn, mailing.issue_id).approved_hash if mailing.issue_id is not None else mailing.content_hash
    )
    if actual != mailing.content_hash or actual != approved:
        raise NotAllowed(
            "the content or the sender is not what was approved",
            where=mailing.issue_id or mailing.id,
            hint="set the sender back and resume, or cancel",
        )


def _skipped(claim: Claim, reason: str) -> Result:
    return Result(person_id=claim.person_id, epoch=claim.epoch, state=DeliveryState.SKIPPED, reason=reason)
