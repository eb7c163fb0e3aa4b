"""How often and how fast one host is asked: turns, pauses, further tries, and the end of all waiting."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from newsletter.errors import FetchRefused, SourceError
from newsletter.http import Fetcher, Limits
from newsletter.http.pace import LONGEST, Pace, Stopped
from tests.fakes.certificates import Authority
from tests.fakes.rawserver import Server, path_of, reply


class Waits(threading.Event):
    """Passes at once over every pause, and remembers how long it was to be."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self._meanwhile = meanwhile

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.pauses.append(timeout)
        self._meanwhile()
        return self.is_set()


# ---------------------------------------------------------------- turns


def test_a_host_rests_between_two_questions_and_another_host_does_not_wait() -> None:
    stopping = Waits()
    pace = Pace(20, stopping)
    for host in ("vien.example", "khac.example"):
        with pace.turn(host):
            pass
    assert stopping.pauses == []
    with pace.turn("vien.example"):
        pass
    assert len(stopping.pauses) == 1
    assert 0 < stopping.pauses[0] <= 20


@pytest.mark.parametrize(
    ("own", "wish", "between"),
    [(1, 0, 1), (1, 7, 7), (1, 0.2, 1), (1, 86400, LONGEST), (40, 0, 40), (0, 7, 0)],
)
def test_a_crawl_delay_lengthens_the_rest_within_bounds(own: float, wish: float, between: float) -> None:
    pace = Pace(own, threading.Event())
    pace.wish("vien.example", wish)
    assert pace.between("vien.example") == between


def test_the_crawl_delay_of_a_robots_txt_is_kept(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    stopping = Waits()
    client = fetcher(serve(reply(b"User-agent: *\nCrawl-delay: 25\n")), pace=0.001, stopping=stopping)
    client.get("http://vien.example/a", robots=True)
    client.get("http://vien.example/b", robots=True)
    assert any(24 < pause <= 25 for pause in stopping.pauses)


def test_one_host_has_one_connection_at_a_time(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    under_way, most, lock = 0, 0, threading.Lock()

    def answer(line: socket.socket, request: bytes) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        server.closing.wait(0.01)
        with lock:
            under_way -= 1
        reply(b"x")(line, request)

    server = serve(answer)
    client = fetcher(server, pace=0.0001)
    threads = [threading.Thread(target=client.get, args=(f"http://vien.example/{n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(server.requests), most) == (5, 1)


def test_different_hosts_are_asked_at_the_same_time(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    together = threading.Barrier(2, timeout=5)

    def answer(line: socket.socket, request: bytes) -> None:
        together.wait()  # breaks when the other question does not come meanwhile
        reply(b"x")(line, request)

    server = serve(answer)
    client = fetcher(resolve={"a.example": server.address, "b.example": server.address}, pace=30)
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda h=host: bodies.append(client.get(f"http://{h}.example/").body)) for host in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"x", b"x"]


def test_a_stop_ends_the_waiting_for_a_turn_and_for_the_end_of_a_pause(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    stopping, silent = threading.Event(), threading.Event()

    def answer(line: socket.socket, request: bytes) -> None:
        if path_of(request) == "/slow":
            silent.set()
            server.closing.wait(5)
        reply(b"x")(line, request)

    server = serve(answer)
    client = fetcher(
        resolve={"rest.example": server.address, "busy.example": server.address}, pace=3600, stopping=stopping
    )
    ends: list[str] = []

    def get(url: str) -> None:
        try:
            client.get(url)
        except Stopped as error:
            ends.append(str(error))

    client.get("http://rest.example/")
    first = threading.Thread(target=get, args=("http://busy.example/slow",))
    first.start()
    assert silent.wait(5)
    waiting = [threading.Thread(target=get, args=(f"http://{host}.example/2",)) for host in ("rest", "busy")]
    for thread in waiting:
        thread.start()
    stopping.set()
    for thread in waiting:
        thread.join(10)
    assert sorted(ends) == [
        "http://busy.example/2: stopped before it was read (the next run reads it)",
        "http://rest.example/2: stopped before it was read (the next run reads it)",
    ]
    server.closing.set()
    first.join(10)


# ---------------------------------------------------------------- further tries


def _failing(*statuses: str, headers: str = "") -> Callable[[socket.socket, bytes], None]:
    left = list(statuses)

    def answer(line: socket.socket, request: bytes) -> None:
        reply(b"here", status=left.pop(0) if left else "200 OK", headers=headers)(line, request)

    return answer


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Busy", "504 Gateway Timeout"])
def test_a_gateways_excuse_is_tried_again_after_growing_pauses(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], status: str
) -> None:
    stopping = Waits()
    server = serve(_failing(status, status))
    assert fetcher(server, pace=4, stopping=stopping).get("http://vien.example/").body == b"here"
    assert len(server.requests) == 3
    first, second = [pause for pause in stopping.pauses if pause > 0][::2]  # between them the host's own rest
    assert 2 <= first <= 6
    assert 4 <= second <= 12


@pytest.mark.parametrize(
    ("status", "headers", "asked"),
    [
        ("503 Busy", "", 3),
        ("503 Busy", "Retry-After: 5\r\n", 1),  # it says when, and that is not now
        ("500 Fault", "", 1),
        ("404 Not Found", "", 1),
        ("429 Too Many", "", 1),
    ],
)
def test_other_failures_are_answers(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], status: str, headers: str, asked: int
) -> None:
    server = serve(_failing(*[status] * 5, headers=headers))
    with pytest.raises(SourceError, match=f"answered {status}"):
        fetcher(server).get("http://vien.example/")
    assert len(server.requests) == asked


def test_a_closed_door_is_tried_again(serve: Callable[..., Server], fetcher: Callable[..., Fetcher]) -> None:
    opened: list[socket.socket] = []

    def open_it() -> None:
        if not opened:
            opened.append(socket.create_server(("127.0.0.1", port)))
            threading.Thread(target=speak, args=(opened[0],), daemon=True).start()

    def speak(door: socket.socket) -> None:
        with suppress(OSError):
            line, _ = door.accept()
            with line:
                reply(b"open")(line, line.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = fetcher(resolve={"vien.example": f"127.0.0.1:{port}"}, pace=0.01, stopping=Waits(open_it))
    try:
        assert client.get("http://vien.example/").body == b"open"
    finally:
        for door in opened:
            door.close()


@pytest.mark.parametrize(("code", "asked"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 3)])
def test_a_name_that_is_not_there_is_asked_for_once(fetcher: Callable[..., Fetcher], code: int, asked: int) -> None:
    names: list[str] = []

    def lookup(host: str, port: int) -> list[str]:
        names.append(host)
        raise socket.gaierror(code, "no answer")

    with pytest.raises(SourceError, match="name not found"):
        fetcher(lookup=lookup).get("http://vien.example/")
    assert len(names) == asked


def test_our_own_refusals_and_bad_certificates_are_final(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], authority: Authority, tmp_path: Path
) -> None:
    names: list[str] = []

    def lookup(host: str, port: int) -> list[str]:
        names.append(host)
        return ["10.1.2.3"]

    with pytest.raises(FetchRefused, match="not public"):
        fetcher(lookup=lookup).get("http://vien.example/")
    assert names == ["vien.example"]
    server = serve(reply(b"x"), authority.server("khac.example"))
    with pytest.raises(SourceError, match="certificate"):
        fetcher(server, ca_file=authority.ca_file).get("https://vien.example/")
    assert server.accepted == 1


def test_a_further_try_that_would_end_too_late_is_not_made(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    stopping = Waits()
    server = serve(_failing("503 Busy"))
    with pytest.raises(SourceError, match="503"):
        fetcher(server, limits=Limits(total=10), pace=50, stopping=stopping).get("http://vien.example/")
    assert (len(server.requests), stopping.pauses) == (1, [])
