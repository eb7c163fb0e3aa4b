"""A small IMAP server on loopback: one folder, the commands a poll needs, and faults to order (RFC 3501)."""

import re
import socket
import ssl
import threading
from contextlib import suppress


class Mailbox:
    """`messages` by UID; `seen` are those marked. `break_at`: hang up when this UID is fetched."""

    def __init__(
        self, messages: dict[int, bytes], *, context: ssl.SSLContext | None = None, password: str = "mat-khau"
    ) -> None:
        self.messages, self.password = dict(messages), password
        self.seen: set[int] = set()
        self.break_at: int | None = None
        self.fetched: list[int] = []
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Mailbox":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with suppress(OSError, ValueError):
                line.settimeout(5)
                with line if self._context is None else self._context.wrap_socket(line, server_side=True) as open_line:
                    self._speak(open_line)

    def _speak(self, line: socket.socket) -> None:
        reader = line.makefile("rb")

        def say(text: str) -> None:
            line.sendall(text.encode() + b"\r\n")

        say("* OK ready")
        for raw in reader:
            tag, _, command = raw.decode("utf-8", "replace").strip().partition(" ")
            verb = command.split(" ")[0].upper()
            if verb == "CAPABILITY":
                say("* CAPABILITY IMAP4rev1")
            elif verb == "LOGIN" and f'"{self.password}"' not in command:
                say(f"{tag} NO wrong password")
                continue
            elif verb == "SELECT" and "INBOX" not in command:
                say(f"{tag} NO there is no such folder")
                continue
            elif verb == "UID" and not self._uid(line, command):
                return
            say(f"{tag} OK done")
            if verb == "LOGOUT":
                return

    def _uid(self, line: socket.socket, command: str) -> bool:
        verb = command.split(" ")[1].upper()
        if verb == "SEARCH":
            unseen = " ".join(str(uid) for uid in sorted(self.messages) if uid not in self.seen)
            line.sendall(f"* SEARCH {unseen}".rstrip().encode() + b"\r\n")
            return True
        found = re.search(r"(?:FETCH|STORE) (\d+)", command)
        assert found is not None, command
        uid = int(found[1])
        if verb == "STORE":
            self.seen.add(uid)
            return True
        if uid == self.break_at:
            return False
        self.fetched.append(uid)
        if uid in self.messages:
            body = self.messages[uid][: 1 << 20]
            line.sendall(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (uid, uid, len(body)) + body + b")\r\n")
        return True
