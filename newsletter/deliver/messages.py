"""From a mailing and the people claimed for it to built messages. Addresses pass through here in memory only."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import subscribers
from newsletter.app import App, Outgoing
from newsletter.errors import NotAllowed
from newsletter.mail.compile import Compiled, Frame, Reader, compile_message
from newsletter.mail.frames import attribute_values, frame_of, reader_of
from newsletter.mail.inline import embedded_in
from newsletter.mail.manifest import content_hash
from newsletter.model import DeliveryState, Image, Mailing, MailingId, MailingKind, PersonId
from newsletter.store import Connection, images, issues, mailings
from newsletter.store.deliveries import Claim, Result
from subscribers import Attribute, Envelope, NotMailable


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

    def build(self, conn: Connection, claims: Sequence[Claim]) -> Iterator[Outgoing | Result]:
        """A message for each claimed row, or the result that closes it: nobody to mail, or not mailable."""
        by_person = {claim.person_id: claim for claim in claims}
        found = subscribers.envelopes(conn, self.checked_list, list(by_person), key=self._app.suppression_key)
        for entry in found:
            person_id = PersonId(entry.person_id)
            claim = by_person.pop(person_id)
            if isinstance(entry, NotMailable):
                yield _skipped(claim, entry.reason)
            elif not self._for(claim).serves(self._topics(entry)):
                yield _skipped(claim, "no chosen topic")
            else:
                yield self._outgoing(claim, entry)
        for claim in by_person.values():
            yield _skipped(claim, "no such person")

    def _outgoing(self, claim: Claim, envelope: Envelope) -> Outgoing:
        return Outgoing(
            mailing_id=self.mailing.id,
            list_slug=self.checked_list,
            person_id=claim.person_id,
            epoch=claim.epoch,
            tries=claim.tries,
            frozen_at=claim.frozen_at,
            message=self._for(claim).splice(self._reader(claim, envelope)),
        )

    def _for(self, claim: Claim) -> Compiled:
        return self._compiled[self._language(claim.language)]

    def _topics(self, envelope: Envelope) -> tuple[str, ...]:
        """Only an issue is cut: a test shows all of it."""
        return envelope.topics if self.mailing.kind is MailingKind.ISSUE else ()

    def _language(self, wanted: str | None) -> str:
        """The rendering a reader gets: their language when there is one in it, else the default."""
        short = (wanted or "").split("-")[0].lower()
        return short if short in self._compiled else self._default

    def _reader(self, claim: Claim, envelope: Envelope) -> Reader:
        language, wanted = self._language(claim.language), self._for(claim).wanted
        return reader_of(
            self.mailing,
            claim.person_id,
            keyring=self._app.keyring,
            base_url=self._app.settings.base_url,
            address=envelope.address,
            name=envelope.name,
            since=(envelope.since or claim.frozen_at).astimezone(self._zone).date(),
            language=language,
            topics=self._topics(envelope),
            time_zone=envelope.time_zone,
            attribs=attribute_values(self._attributes, envelope.attributes, language=language, wanted=wanted),
            wanted=wanted,
        )


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
