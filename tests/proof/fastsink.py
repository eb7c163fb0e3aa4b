"""A sink for millions, in a process of its own: it offers CHUNKING, keeps only how often each recipient came, and can be asked.

    python fastsink.py   prints its port; answers each line on its standard input, the path of a file, with the number of
                         messages taken, after it has written who got how many into that file

Must never take a message for somebody it does not count.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

taken: Counter[bytes] = Counter()


class Session(asyncio.Protocol):
    """Octets in, replies out: a group of envelopes and contents comes in few pieces and is answered in few."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = transport
        self._buffer, self._skip, self._rcpt = b"", 0, b""
        transport.write(b"220 sink ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        said: list[bytes] = []
        while True:
            if self._skip:
                if len(self._buffer) < self._skip:
                    break
                self._buffer, self._skip = self._buffer[self._skip :], 0
                taken[self._rcpt] += 1
                said.append(b"250 2.0.0 queued\r\n")
            line, end, rest = self._buffer.partition(b"\r\n")
            if not end:
                break
            self._buffer = rest
            said.append(self._answer(line))
        self._line.write(b"".join(said))  # type: ignore[attr-defined]

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"BDAT":
            self._skip = int(line.split()[1])
            return b""
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING\r\n"
        if verb == b"RCPT":
            self._rcpt = line[line.index(b"<") + 1 : line.index(b">")]
        if verb == b"QUIT":
            self._line.close()  # type: ignore[attr-defined]
        return b"250 2.0.0 ok\r\n"


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while path := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        Path(path).write_text(json.dumps({rcpt.decode(): count for rcpt, count in taken.items()}), encoding="utf-8")
        print(sum(taken.values()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
