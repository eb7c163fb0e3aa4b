"""What may be dialled: addresses however they are spelled, names that lie, ports, redirects."""

import ipaddress
import threading
import time
from collections.abc import Callable

import httpcore
import pytest

from newsletter.errors import ConfigError, FetchRefused, SourceError
from newsletter.http import Fetcher, Limits, is_public
from newsletter.http.guard import Guard, system_lookup
from newsletter.http.wire import Turn, Wire, current_turn
from tests.fakes.rawserver import Server, reply


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://0/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://127。0。0。1/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://10.0.0.1/",
        "http://192.168.1.1:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "https://224.0.0.1/",
    ],
)
def test_private_addresses_are_refused_however_they_are_spelled(fetcher: Callable[..., Fetcher], url: str) -> None:
    with pytest.raises(FetchRefused, match="not public"):
        fetcher().get(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "only http"),
        ("gopher://vien.example/", "only http"),
        ("//vien.example/", "bare path"),
        ("http://me:secret@vien.example/", "user name"),
        ("http://vien.example\\@127.0.0.1/", "host name"),
        ("http:///path", "host name"),
        ("http://[::1/", "not a usable URL"),
        ("http://0177.0.0.1/", "not public"),
        ("http://１２７.０.０.１/", "not a usable URL"),
        ("http://vien.example /", "host name"),
        ("http://vien.example\t.evil.example/", "not a usable URL"),
        ("http://127.0.0.1:80@vien.example/", "user name"),
        ("http://1.1.1.1:22/", "port 22"),
        ("http://1.1.1.1:25/", "port 25"),
    ],
)
def test_urls_of_another_form_are_refused(fetcher: Callable[..., Fetcher], url: str, reason: str) -> None:
    with pytest.raises(FetchRefused, match=reason) as caught:
        fetcher().get(url)
    assert "secret" not in str(caught.value)


def test_one_private_answer_refuses_the_whole_name(fetcher: Callable[..., Fetcher]) -> None:
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "10.0.0.7"]

    with pytest.raises(FetchRefused, match="not public"):
        fetcher(lookup=lookup).get("https://mixed.example/feed")
    assert asked == ["mixed.example"]


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "93.184.215.14"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["::7f00:1", "5f00::1", "192.88.99.1", "ff02::1", "fec0::1", "2001::1", "0.0.0.0"])
def test_tunnels_and_retired_ranges_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_the_literal_check_agrees_with_the_standard_library_on_private_ranges() -> None:
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8"):
        assert not is_public(str(ipaddress.ip_network(net)[5]))


def test_a_redirect_to_the_metadata_service_is_refused(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher]
) -> None:
    server = serve(reply(status="302 Found", headers="Location: http://169.254.169.254/latest/\r\n"))
    with pytest.raises(FetchRefused, match="not public"):
        fetcher(server).get("http://vien.example/")


def test_a_mapping_that_is_no_endpoint_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="ADDRESS:PORT"):
        Fetcher(user_agent="test/1", resolve={"vien.example": "somewhere"})


def test_environment_proxies_are_not_used(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(reply(b"proxy")), serve(reply(b"origin"))
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("ALL_PROXY", f"http://{proxy.address}")
    assert fetcher(server).get("http://vien.example/").body == b"origin"
    assert proxy.requests == []


def test_a_slow_name_server_does_not_hold_the_fetch(fetcher: Callable[..., Fetcher]) -> None:
    release = threading.Event()

    def lookup(host: str, port: int) -> list[str]:
        release.wait(5)
        return ["1.1.1.1"]

    try:
        with pytest.raises(SourceError, match="no answer in time"):
            fetcher(lookup=lookup, limits=Limits(connect=0.1)).get("http://slow.example/")
    finally:
        release.set()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file:///etc/passwd", "only http"),
        ("gopher://127.0.0.1:6379/_INFO", "only http"),
        ("ftp://vien.example/x", "only http"),
        ("http://10.0.0.1/", "not public"),
        ("//169.254.169.254/latest/", "not public"),
        ("http://2852039166/latest/", "not public"),
        ("http://inner.example/", "not public"),
        ("http://me:secret@vien.example/", "user name"),
        ("http://1.1.1.1:6379/", "port 6379"),
        ("http://[::1", "not a URL"),
    ],
)
def test_a_redirect_leads_nowhere_a_url_of_our_own_could_not(
    serve: Callable[..., Server], fetcher: Callable[..., Fetcher], target: str, reason: str
) -> None:
    def lookup(host: str, port: int) -> list[str]:
        return ["192.168.0.9"] if host == "inner.example" else list(system_lookup(host, port))

    server = serve(reply(status="302 Found", headers=f"Location: {target}\r\n"))
    with pytest.raises(SourceError, match=reason) as caught:
        fetcher(server, lookup=lookup).get("http://vien.example/")
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 1


def test_the_address_that_was_checked_is_dialled_and_a_name_that_changes_its_mind_is_refused(
    fetcher: Callable[..., Fetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14"]]
    dialled: list[str] = []

    def dial(address: str, port: int, timeout: float | None) -> Wire:
        dialled.append(address)
        raise httpcore.ConnectError("nobody there")  # so that the client asks, and looks the name up, again

    monkeypatch.setattr("newsletter.http.guard.dial", dial)
    with pytest.raises(FetchRefused, match="not public"):
        fetcher(lookup=lambda host, port: answers.pop(0)).get("http://rebind.example/")
    assert (dialled, len(answers)) == (["93.184.215.14"], 1)


def test_names_that_are_never_answered_hold_up_no_other() -> None:
    release, hanging = threading.Event(), threading.Semaphore(0)

    def lookup(host: str, port: int) -> list[str]:
        if host.startswith("hangs"):
            hanging.release()
            release.wait(10)
        return ["10.0.0.1"]

    guard = Guard({}, lookup)
    failures: list[str] = []

    def dial(host: str, timeout: float) -> None:
        current_turn.set(Turn(time.monotonic() + 30))
        try:
            guard.connect_tcp(host, 80, timeout=timeout)
        except (httpcore.ConnectTimeout, FetchRefused) as error:
            failures.append(str(error))

    threads = [threading.Thread(target=dial, args=(f"hangs{n}.example", 0.01)) for n in range(30)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()  # each has given up; its name is still being looked up
        assert failures == ["name lookup took too long"] * 30
        assert all(hanging.acquire(timeout=5) for _ in threads)
        last = threading.Thread(target=dial, args=("answers.example", 10))
        last.start()
        last.join()
        assert "answers.example: the name leads to an address that is not public" in failures[-1]
    finally:
        release.set()
