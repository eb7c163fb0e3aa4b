"""Transport `outbox`: every message a real .eml file in a folder. The embedded default: no server, no account, no network."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.errors import TransportDown

_AFRESH = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class Outbox:
    """Writes `<trace token>.eml`, readable by its owner alone for the address and links in it.

    The name is that of the delivery, so a message sent again replaces itself.
    """

    name = "outbox"
    connections = 1
    batch = 50

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> "Outbox":
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise TransportDown(f"cannot make the outbox folder: {error.strerror}", where=str(self.folder)) from error
        return self

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        """Each file is whole and durable under another name before the intent, and takes its own name after it."""
        written = [self._write(outgoing) for outgoing in batch]
        kept = Outcome(fate=Fate.REFUSED)
        try:
            allowed = permit([o for o, done in zip(batch, written, strict=True) if isinstance(done, Path)])
        except TransportDown as error:  # the ledger cannot be written: nothing may go, nothing went
            allowed, kept = set(), Outcome(fate=Fate.RETRY, reply=error.what, down=error.what)
        return [
            done if isinstance(done, Outcome) else self._publish(done) if o.person_id in allowed else _drop(done, kept)
            for o, done in zip(batch, written, strict=True)
        ]

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, outgoing: Outgoing) -> Path | Outcome:
        mime = outgoing.message.mime(utf8=True)
        half = self.folder / f"{outgoing.message.message_id.strip('<>').split('@')[0]}.part"
        try:
            with os.fdopen(os.open(half, _AFRESH, 0o600), "wb") as file:
                file.write(mime)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
            return _unwritten(error)
        return half

    def _publish(self, half: Path) -> Outcome:
        try:
            half.replace(half.with_suffix(".eml"))
        except OSError as error:
            return _unwritten(error)
        return Outcome(fate=Fate.ACCEPTED, reply="written", provider_id=half.stem + ".eml")


def _drop(half: Path, why: Outcome) -> Outcome:
    """A file whose message may not go."""
    with contextlib.suppress(OSError):
        half.unlink(missing_ok=True)
    return why


def _unwritten(error: OSError) -> Outcome:
    """A folder that takes no file takes none for anybody: the rows stay, and the sending stops until there is room."""
    words = f"cannot write: {os.strerror(error.errno or 0)}"
    return Outcome(fate=Fate.RETRY, reply=words, down=words)
