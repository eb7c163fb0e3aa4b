"""A name server on loopback, over UDP and TCP, that answers from a table and can be told how to misbehave."""

import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

SERVFAIL, REFUSED, SILENT, GARBAGE = "servfail", "refused", "silent", "garbage"
Zone = Mapping[tuple[str, str], Sequence[str] | str]


def txt(text: str) -> str:
    """A TXT record as a zone file writes it, in strings of 200 octets."""
    return " ".join('"' + text[at : at + 200].replace('"', r"\"") + '"' for at in range(0, len(text), 200)) or '""'


class NameServer:
    """`zone`: (name, kind) → texts of the records; a TXT is given bare. ("name", "CNAME") → the name it stands for.

    A name with a record of one kind has none of the others (NODATA); any other name does not exist (NXDOMAIN). `faults`:
    name → what goes wrong there. `asked`: (protocol, name, kind) in order.
    """

    def __init__(self, zone: Zone, *, faults: Mapping[str, str] | None = None, udp_octets: int = 512) -> None:
        self.zone = {
            (name.lower(), kind): [one] if isinstance(one, str) else list(one) for (name, kind), one in zone.items()
        }
        self.faults = dict(faults or {})
        self.udp_octets = udp_octets
        self.asked: list[tuple[str, str, str]] = []
        self._tcp, self._udp = _pair()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> "NameServer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        self._udp.sendto(b"", self._udp.getsockname())  # wakes its thread
        for thread in self._threads:
            thread.join(5)
        self._tcp.close()
        self._udp.close()

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self._udp.getsockname()[1]}"

    def _serve_udp(self) -> None:
        while True:
            data, peer = self._udp.recvfrom(4_096)
            if not data:
                return
            answer = self._answer(data, "udp")
            if answer is not None:
                with suppress(OSError):
                    self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                line, _ = self._tcp.accept()
            except OSError:
                return
            with suppress(OSError, struct.error), line:
                line.settimeout(5)
                (size,) = struct.unpack("!H", line.recv(2))
                answer = self._answer(line.recv(size), "tcp")
                if answer is not None:
                    line.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, data: bytes, protocol: str) -> bytes | None:
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((protocol, name, kind))
        fault = self.faults.get(name)
        if fault == SILENT:
            return None
        if fault == GARBAGE:
            return data[:2] + b"\x81\x80" + b"\xff" * 40
        reply = dns.message.make_response(asked)
        reply.flags |= dns.flags.RA
        if fault is not None:
            reply.set_rcode(dns.rcode.SERVFAIL if fault == SERVFAIL else dns.rcode.REFUSED)
        else:
            self._fill(reply, name, kind)
        wire = reply.to_wire(max_size=65_535)
        if protocol == "udp" and len(wire) > self.udp_octets:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire

    def _fill(self, reply: dns.message.Message, name: str, kind: str) -> None:
        seen: set[str] = set()
        while (name, "CNAME") in self.zone and name not in seen:
            seen.add(name)
            [target] = self.zone[name, "CNAME"]
            reply.answer.append(_rrset(name, "CNAME", [f"{target}."]))
            name = target
        if texts := self.zone.get((name, kind)):
            reply.answer.append(_rrset(name, kind, [txt(one) for one in texts] if kind == "TXT" else texts))
        elif not any(known == name for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)


def _rrset(name: str, kind: str, texts: Sequence[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(dns.name.from_text(name), 60, "IN", kind, texts)


def _pair() -> tuple[socket.socket, socket.socket]:
    """A TCP listener and a UDP socket on the same free port."""
    for _ in range(50):
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            continue
        return tcp, udp
    raise OSError("no port is free for both")
