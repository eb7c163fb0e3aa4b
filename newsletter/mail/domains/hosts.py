"""Judges the hosts: where bounces and unsubscribing mails arrive, where links lead, what the relays call themselves."""

import ipaddress
from collections.abc import Iterator

from newsletter.http import is_public
from newsletter.mail.domains.dmarc import aligned
from newsletter.mail.domains.verdict import BULK, GMAIL, Level, Verdict, unasked
from newsletter.mail.domains.wanted import Wanted
from newsletter.names import Answer, Ask, Status

OK, WARNING, ERROR, UNKNOWN = Level.OK, Level.WARNING, Level.ERROR, Level.UNKNOWN
MOST_HOSTS = 5  # of one MX answer


def examine_hosts(wanted: Wanted, ask: Ask) -> Iterator[Verdict]:
    purposes = {
        wanted.envelope: "bounces",
        wanted.unsubscribe: "mails that unsubscribe",
        wanted.sender: "answers of readers",
    }
    for domain in dict.fromkeys((wanted.envelope, wanted.unsubscribe, wanted.sender)):
        if domain is not None:
            must = domain in (wanted.envelope, wanted.unsubscribe)
            yield _mailboxes(domain, ask, purposes[domain] if domain != wanted.envelope else "bounces", must=must)
    yield from _web(wanted, ask)
    for host in wanted.relays[:MOST_HOSTS]:
        yield from _relay(host, ask)


# ---------------------------------------------------------------- where mail arrives


def _mailboxes(domain: str, ask: Ask, what: str, *, must: bool) -> Verdict:
    """RFC 5321 section 5.1: MX, else the address itself; "." is a refusal (RFC 7505)."""
    answer = ask(domain, "MX")

    def said(level: Level, message: str, hint: str = "", ground: str = "RFC 5321 section 5.1") -> Verdict:
        return Verdict(check="mx", level=level, where=f"{domain} MX", message=message, hint=hint, ground=ground)

    bad = ERROR if must else WARNING
    if (trouble := unasked("mx", answer)) is not None:
        return trouble
    hosts = [record.partition(" ")[2] for record in answer.records]
    if hosts in (["."], [""]):
        return said(
            bad, f"it says that it takes no mail (null MX), so {what} are lost", "name the host that takes them"
        )
    if not hosts:
        found = _addresses(domain, ask)
        if found.status is Status.FOUND:
            return said(WARNING, f"no MX: {what} go to the address of {domain} itself", "name the host that takes them")
        if found.unknown:
            return said(UNKNOWN, f"{found.name}: {found.status.value}")
        return said(
            bad, f"{answer.status.value}: {what} arrive nowhere", "publish an MX that names the host that takes them"
        )
    return _first_of(hosts, ask, said(OK, ""), what=what, bad=bad)


def _first_of(hosts: list[str], ask: Ask, plain: Verdict, *, what: str, bad: Level) -> Verdict:
    def said(level: Level, message: str, hint: str = "") -> Verdict:
        return Verdict(check="mx", level=level, where=plain.where, message=message, hint=hint, ground=plain.ground)

    looked = {host: _addresses(host, ask) for host in hosts[:MOST_HOSTS]}
    good = [host for host, answer in looked.items() if answer.status is Status.FOUND]
    if good:
        aliases = [host for host in good if looked[host].alias]
        if aliases:
            return said(
                WARNING,
                f"{aliases[0]} is an alias (CNAME), which an MX must not name",
                f"name {looked[aliases[0]].alias}",
            )
        return said(OK, f"{what} go to {', '.join(good)}")
    if any(answer.unknown for answer in looked.values()):
        return said(UNKNOWN, f"{hosts[0]}: no answer in time")
    return said(bad, f"{hosts[0]} has no address, so {what} are lost", "name a host that has one")


def _addresses(host: str, ask: Ask) -> Answer:
    """A, else AAAA."""
    first = ask(host, "A")
    if first.status is Status.FOUND or first.status is Status.NO_NAME:
        return first
    second = ask(host, "AAAA")
    return second if second.status is Status.FOUND or first.absent else first


# ---------------------------------------------------------------- where links lead


def _web(wanted: Wanted, ask: Ask) -> Iterator[Verdict]:
    def said(level: Level, message: str, hint: str = "", ground: str = "") -> Verdict:
        return Verdict(check="web", level=level, where=wanted.host, message=message, hint=hint, ground=ground)

    if _literal(wanted.host) or not wanted.host:
        yield said(
            ERROR, "base_url names an address instead of a host: filters take such links for fraud", "use a name"
        )
        return
    found = _addresses(wanted.host, ask)
    if (trouble := unasked("web", found)) is not None:
        yield trouble
    elif found.absent:
        yield said(ERROR, f"{found.status.value}: no link in any mail works", "publish its A or AAAA record", BULK)
    elif hidden := [address for address in found.records if not is_public(address)]:
        yield said(
            ERROR, f"{hidden[0]} is not public: readers cannot reach links and one-click unsubscribing", "", BULK
        )
    else:
        yield said(OK, f"links lead to {', '.join(found.records[:4])}")
    if not aligned(wanted.host, wanted.sender, "r", ask):
        yield said(
            WARNING,
            f"links lead to another organisation than {wanted.sender}",
            "use a host below the sender's domain",
            GMAIL,
        )


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------- relays


def _relay(host: str, ask: Ask) -> Iterator[Verdict]:
    """A hint only: a relay may send from other addresses than the one it takes mail at."""

    def said(level: Level, message: str, hint: str = "") -> Verdict:
        return Verdict(check="ptr", level=level, where=host, message=message, hint=hint, ground=GMAIL)

    addresses = (host,) if _literal(host) else _addresses(host, ask).records if "." in host else ()
    public = [address for address in addresses if is_public(address)]
    if not public:
        yield said(
            OK, "a relay of your own network: the address it sends from needs a name (PTR) that leads back to it"
        )
        return
    for address in public[:2]:
        back = ask(ipaddress.ip_address(address).reverse_pointer, "PTR")
        names = back.records[:3]
        if back.unknown:
            yield said(UNKNOWN, f"the name of {address}: {back.status.value}")
        elif any(address in ask(name, "AAAA" if ":" in address else "A").records for name in names):
            yield said(OK, f"{address} is {names[0]}, and that leads back")
        else:
            told = f"its name {names[0]} does not lead back" if names else "it has no name (PTR)"
            yield said(WARNING, f"{address}: {told}", "if mail leaves from it, ask its operator for one")
