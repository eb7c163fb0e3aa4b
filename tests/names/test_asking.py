"""Asking real sockets: what an honest and a hostile name server can say becomes an Answer, never an exception."""

import socket

import pytest

from newsletter.errors import BadInput
from newsletter.names import Status
from newsletter.names.asking import LONGEST, MOST_QUESTIONS, MOST_RECORDS, Resolver
from tests.fakes import names
from tests.fakes.names import NameServer

ZONE = {
    ("vien.example", "TXT"): ["v=spf1 ip4:192.0.2.1 -all", "other=words"],
    ("vien.example", "MX"): ["20 mx2.vien.example.", "10 MX1.vien.example."],
    ("khoa.vien.example", "CNAME"): "vien.example",
    ("long.example", "TXT"): "v=spf1 " + "ip4:192.0.2.1 " * 60 + "-all",
    ("a.example", "A"): ["192.0.2.1", "192.0.2.2"],
    ("1.2.0.192.in-addr.arpa", "PTR"): "Mail.vien.example.",
}


def asked(server: NameServer, name: str, kind: str = "TXT", each: float = 0.3):
    return Resolver(server.at, each=each).ask(name, kind)


def test_records_come_joined_sorted_and_plain():
    with NameServer(ZONE) as server:
        resolver = Resolver(server.at)
        assert resolver.ask("Vien.example.", "TXT").records == ("other=words", "v=spf1 ip4:192.0.2.1 -all")
        assert resolver.ask("vien.example", "MX").records == ("10 mx1.vien.example", "20 mx2.vien.example")
        assert resolver.ask("1.2.0.192.in-addr.arpa", "PTR").records == ("mail.vien.example",)
        through = resolver.ask("khoa.vien.example", "TXT")
        assert (through.alias, len(through.records)) == ("vien.example", 2)
        assert [resolver.ask(name, "A").status for name in ("vien.example", "none.example")] == [
            Status.NOTHING,
            Status.NO_NAME,
        ]


def test_a_name_is_asked_for_once():
    with NameServer(ZONE) as server:
        resolver = Resolver(server.at)
        assert resolver.ask("vien.example", "TXT") is resolver.ask("VIEN.example", "TXT")
        assert (len(server.asked), resolver.questions) == (1, 1)


def test_an_answer_that_does_not_fit_a_packet_is_fetched_over_tcp():
    with NameServer(ZONE) as server:
        assert len(asked(server, "long.example").records[0]) > 800
        assert [protocol for protocol, _, _ in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (names.SERVFAIL, Status.FAILED),
        (names.REFUSED, Status.FAILED),
        (names.SILENT, Status.LATE),
        (names.GARBAGE, Status.LATE),  # what cannot be read is waited past: anybody may throw such at us
    ],
)
def test_a_server_that_misbehaves_is_a_status(fault, status):
    with NameServer(ZONE, faults={"vien.example": fault}) as server:
        answer = asked(server, "vien.example", each=0.2)
    assert (answer.status, answer.records) == (status, ())


def test_aliases_in_a_circle_are_found_wherever_they_are_followed():
    zone = {(f"l{n}.example", "CNAME"): f"l{(n + 1) % 3}.example" for n in range(3)}
    with NameServer(zone) as server:
        assert asked(server, "l0.example").status is Status.LOOP
    zone = {(f"l{n}.example", "CNAME"): f"l{n + 1}.example" for n in range(40)}
    with NameServer(zone, udp_octets=4_096) as server:
        assert asked(server, "l0.example").status is Status.LOOP


@pytest.mark.parametrize(
    "texts", [["x" * (LONGEST + 1)], [f"t{n}" for n in range(MOST_RECORDS + 1)]], ids=["long", "many"]
)
def test_answers_beyond_all_use_are_refused(texts):
    with NameServer({("big.example", "TXT"): texts}) as server:
        assert asked(server, "big.example", each=2).status is Status.TOO_LARGE


@pytest.mark.parametrize("name", ["a..example", "x" * 64 + ".example", ".".join(["abcdefgh"] * 40), "\udcff.example"])
def test_what_is_no_name_is_never_asked_for(name):
    with NameServer(ZONE) as server:
        assert asked(server, name).status is Status.BAD_NAME
        assert server.asked == []


def test_all_questions_share_one_deadline_and_one_number(monkeypatch):
    with NameServer(ZONE) as server:
        late = Resolver(server.at, total=0.0)
        assert late.ask("vien.example", "TXT").status is Status.LATE
        assert server.asked == []
        many = Resolver(server.at)
        many.questions = MOST_QUESTIONS
        assert many.ask("vien.example", "TXT").status is Status.LATE
        assert server.asked == []


def test_a_name_server_that_is_not_there_is_late():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    assert Resolver(f"127.0.0.1:{port}", each=0.2).ask("vien.example", "TXT").unknown


@pytest.mark.parametrize(
    "server", ["", "dns.example", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", "1.2.3:53", "[::1"]
)
def test_what_is_no_address_of_a_name_server_is_refused(server):
    with pytest.raises(BadInput, match="no address of a name server"):
        Resolver(server)


@pytest.mark.parametrize("server", ["192.0.2.1", "localhost:5353", "[2001:db8::1]:53", "2001:db8::1"])
def test_addresses_of_name_servers_in_every_spelling(server):
    assert Resolver(server, total=0).ask("vien.example", "A").unknown
