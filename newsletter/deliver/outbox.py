"""Transport `outbox`: every message a real .eml file in a folder. The embedded default: no server, no account, no network."""

import os
from collections.abc import Sequence
from pathlib import Path

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.errors import TransportDown


class Outbox:
    """Writes `<trace token>.eml`. The name is that of the delivery, so a message sent again replaces itself."""

    name = "outbox"
    connections = 1
    batch = 50

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> "Outbox":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TransportDown(f"cannot make the outbox folder: {error.strerror}", where=str(self.folder)) from error
        return self

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        written = [outgoing.message.mime() for outgoing in batch]
        allowed = permit(batch)
        return [
            self._write(outgoing, mime) if outgoing.person_id in allowed else Outcome(fate=Fate.REFUSED)
            for outgoing, mime in zip(batch, written, strict=True)
        ]

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, outgoing: Outgoing, mime: bytes) -> Outcome:
        path = self.folder / f"{outgoing.message.message_id.strip('<>').split('@')[0]}.eml"
        half = path.with_suffix(".part")
        try:
            with half.open("wb") as file:
                file.write(mime)
            half.replace(path)
        except OSError as error:
            half.unlink(missing_ok=True)
            return Outcome(fate=Fate.RETRY, reply=f"cannot write: {os.strerror(error.errno or 0)}")
        return Outcome(fate=Fate.ACCEPTED, reply="written", provider_id=path.name)
