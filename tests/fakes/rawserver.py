"""A server on loopback that speaks whatever bytes a test lets it, and keeps the requests it read."""

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

Answer = Callable[[socket.socket, bytes], None]


class Server:
    """Accepts connections in a thread and lets `answer` speak; remembers each request it read."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.accepted = 0
        self._answer, self._context = answer, context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            thread = threading.Thread(target=self._talk, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            line.settimeout(5)
            if self._context:
                with self._context.wrap_socket(line, server_side=True) as secure:
                    self._speak(secure)
            else:
                self._speak(line)

    def _speak(self, line: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = line.recv(65536)
            if not piece:
                return
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += line.recv(65536)
        request = head + b"\r\n\r\n" + body
        self.requests.append(request)
        self._answer(line, request)

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(10)


def reply(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> Answer:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")
    return lambda line, _request: line.sendall(head + body)


def path_of(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


def silent(line: socket.socket, _request: bytes) -> None:
    with suppress(OSError):
        line.recv(1)  # until the client gives up
