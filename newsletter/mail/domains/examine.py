"""Judges what the domains of a Wanted publish: SPF, DKIM keys, DMARC, alignment; hosts.py has the rest. Records in, lines out."""

from collections.abc import Iterable, Iterator

from newsletter.errors import BadInput
from newsletter.mail.dkim import Algorithm, published, record_name
from newsletter.mail.domains.dmarc import Dmarc, aligned, dmarc_records, read_dmarc
from newsletter.mail.domains.hosts import examine_hosts
from newsletter.mail.domains.spf import LONG, MOST_LOOKUPS, Spf, read_spf
from newsletter.mail.domains.verdict import BULK, GMAIL, Level, Verdict, unasked
from newsletter.mail.domains.wanted import PublishedKey, Wanted
from newsletter.names import Ask

OK, WARNING, ERROR, UNKNOWN = Level.OK, Level.WARNING, Level.ERROR, Level.UNKNOWN


def examine(all_wanted: Iterable[Wanted], ask: Ask) -> list[Verdict]:
    """Every verdict once, in the order in which the records are published. Never raises for what strangers publish."""
    return list(dict.fromkeys(verdict for wanted in all_wanted for verdict in _examined(wanted, ask)))


def _examined(wanted: Wanted, ask: Ask) -> list[Verdict]:
    policy = read_dmarc(wanted.sender, ask)
    chosen = {domain: read_spf(domain, ask) for domain in _spf_domains(wanted)}
    keys = [_key(key, ask) for key in wanted.keys]
    of_sender = [
        v.level for key, v in zip(wanted.keys, keys, strict=True) if key.domain == wanted.sender and key.for_all
    ]
    path = _sound(chosen[wanted.envelope]) if wanted.envelope else ERROR
    found = [verdict for domain, spf in chosen.items() for verdict in _spf(spf, needed=domain == wanted.envelope)]
    found += [*keys, *_unsigned(wanted), *_dmarc(policy, ask)]
    found += _alignment(wanted, policy, ask, key=of_sender[0] if of_sender else ERROR, path=path)
    return [*found, *examine_hosts(wanted, ask)]


def _sound(spf: Spf) -> Level:
    """Whether this SPF can pass at all."""
    if spf.broken or spf.failing or (not spf.records and not spf.unknown):
        return ERROR
    return UNKNOWN if spf.unknown else OK


# ---------------------------------------------------------------- SPF


def _spf_domains(wanted: Wanted) -> list[str]:
    """Receivers check the return path's domain; some also look at that of the From address."""
    return list(dict.fromkeys(domain for domain in (wanted.envelope, wanted.sender) if domain))


def _spf(spf: Spf, *, needed: bool) -> Iterator[Verdict]:
    """`needed`: it is the domain of the return path, so that its SPF is what counts."""

    def said(level: Level, message: str, hint: str = "", ground: str = BULK) -> Verdict:
        return Verdict(check="spf", level=level, where=f"{spf.domain} TXT", message=message, hint=hint, ground=ground)

    if spf.broken:
        yield said(ERROR, spf.broken, "mend it: receivers count a broken record as none")
    elif spf.unknown:
        yield said(UNKNOWN, spf.unknown, "ask again, or another resolver (--resolver)", "")
    elif spf.failing:
        yield said(ERROR, spf.failing, "receivers put mail off while it fails (RFC 7208 section 2.6.6)")
    elif not spf.records:
        level, what = (ERROR, "return path") if needed else (WARNING, "From address")
        hint = f'publish "v=spf1 include:YOUR-RELAY -all" for the domain of the {what}'
        yield said(level, "there is no SPF record", hint)
    else:
        yield from _sound_spf(spf, said(OK, "").where)


def _sound_spf(spf: Spf, where: str) -> Iterator[Verdict]:
    def said(level: Level, message: str, hint: str = "", ground: str = BULK) -> Verdict:
        return Verdict(check="spf", level=level, where=where, message=message, hint=hint, ground=ground)

    if spf.end == "+all":
        yield said(ERROR, "+all lets everybody send as this domain", "end with ~all or -all")
    elif spf.end in ("", "?all"):
        yield said(WARNING, "it forbids nobody", "end with ~all, later -all")
    if not spf.passes:
        yield said(WARNING, "it allows nobody to send", "name your relay in it")
    if spf.uses_ptr:
        yield said(WARNING, "ptr is slow and not to be used", "name networks or an include", "RFC 7208 section 5.5")
    if spf.lookups > MOST_LOOKUPS - 2:
        yield said(WARNING, f"{spf.lookups} of {MOST_LOOKUPS} lookups are used", "each include may grow without you")
    if len(spf.record) > LONG:
        yield said(WARNING, f"{len(spf.record)} octets: the answer may not fit a packet", "", "RFC 7208 section 3.4")
    if spf.end in ("-all", "~all") and spf.passes:
        yield said(
            OK,
            f"{spf.lookups} of {MOST_LOOKUPS} lookups, {spf.void} void, ends in {spf.end}: {', '.join(spf.passes[:6])}",
        )


# ---------------------------------------------------------------- DKIM


def _unsigned(wanted: Wanted) -> Iterator[Verdict]:
    """Mail that no key of ours signs."""
    if not wanted.signs:
        yield Verdict(
            check="dkim",
            level=UNKNOWN,
            where=wanted.provider,
            message=f"{wanted.provider} signs with a key of its own; its selector is not known here",
            hint=f"publish the records it names for {wanted.sender}, and see there that they are verified",
            ground=BULK,
        )
    elif wanted.sender not in {key.domain for key in wanted.keys}:
        yield Verdict(
            check="dkim",
            level=WARNING,
            where="dkim.key_file",
            message=f"no key of ours signs for {wanted.sender}, so whether mail is signed depends on the relay",
            hint="`newsletter dkim new`, or ask the relay's operator for d= and selector",
            ground=BULK,
        )


def _key(key: PublishedKey, ask: Ask) -> Verdict:
    name = record_name(key.selector, key.domain)
    answer = ask(name, "TXT")

    def said(level: Level, message: str, hint: str = "", ground: str = BULK) -> Verdict:
        return Verdict(check="dkim", level=level, where=f"{name} TXT", message=message, hint=hint, ground=ground)

    if (trouble := unasked("dkim", answer)) is not None:
        return trouble
    if answer.absent:
        return said(
            ERROR, f"{answer.status.value}, so no signature holds", "publish what `newsletter dkim show` prints"
        )
    if len(answer.records) > 1:
        return said(
            ERROR,
            f"{len(answer.records)} records: receivers may take the wrong one",
            "leave one",
            "RFC 6376 section 3.6.2.2",
        )
    try:
        found, ours = published(answer.records[0]), published(key.record)
    except BadInput as error:
        return said(ERROR, f"the record {error.what}", "publish what `newsletter dkim show` prints")
    if found.public != ours.public:
        return said(
            ERROR, "the published key is not ours", "publish what `newsletter dkim show` prints, or use its key"
        )
    if found.algorithm is Algorithm.RSA and found.bits < 2048:
        return said(WARNING, f"the key has {found.bits} bits, 2048 are asked for", "`newsletter dkim new`", GMAIL)
    if found.testing:
        return said(WARNING, "t=y says that it is only a test", "take t=y out", "RFC 6376 section 3.6.1")
    return said(OK, f"{found.algorithm}, {found.bits} bits: the published key is ours")


# ---------------------------------------------------------------- DMARC


def _dmarc(policy: Dmarc, ask: Ask) -> Iterator[Verdict]:
    def said(level: Level, message: str, hint: str = "", ground: str = BULK) -> Verdict:
        where = f"_dmarc.{policy.at or policy.domain} TXT"
        return Verdict(check="dmarc", level=level, where=where, message=message, hint=hint, ground=ground)

    if policy.trouble is not None:
        if (trouble := unasked("dmarc", policy.trouble)) is not None:
            yield trouble
        return
    if policy.broken:
        yield said(ERROR, policy.broken, "leave one valid record: receivers count this as none")
        return
    if not policy.at:
        hint = (
            f'publish "v=DMARC1; p=none; rua=mailto:dmarc@{policy.domain}", and tighten it when the reports are clean'
        )
        yield said(ERROR, "there is no DMARC record", hint)
        return
    modes = f"adkim={policy.dkim}, aspf={policy.spf}"
    advice = "p=none only watches: quarantine when the reports are clean" if policy.policy == "none" else ""
    yield said(OK, f"p={policy.policy}, {modes}", advice)
    if policy.testing:
        yield said(
            WARNING, "receivers apply it only in part (pct, or t=y)", "take that out when the reports are clean", ""
        )
    yield from _reports(policy, ask)


def _reports(policy: Dmarc, ask: Ask) -> Iterator[Verdict]:
    def said(level: Level, message: str, hint: str = "", ground: str = "RFC 7489 section 7.1") -> Verdict:
        where = f"_dmarc.{policy.at} TXT"
        return Verdict(check="dmarc", level=level, where=where, message=message, hint=hint, ground=ground)

    for text in policy.bad_reports:
        yield said(WARNING, f"rua={text[:60]!r} is no mailto: address", "reports get lost")
    if not policy.reports and not policy.bad_reports:
        yield said(WARNING, "nobody gets its reports", f"add rua=mailto:dmarc@{policy.at}")
    for domain in policy.reports[:4]:
        if aligned(policy.at, domain, "r", ask):
            continue
        answer = ask(f"{policy.at}._report._dmarc.{domain}", "TXT")
        if answer.unknown:
            yield said(UNKNOWN, f"{answer.name}: {answer.status.value}")
        elif not dmarc_records(answer):
            yield said(
                WARNING,
                f"{domain} does not say that it takes reports for {policy.at}",
                f"{answer.name} must be v=DMARC1",
            )


# ---------------------------------------------------------------- alignment


def _alignment(wanted: Wanted, policy: Dmarc, ask: Ask, *, key: Level, path: Level) -> Iterator[Verdict]:
    """DMARC passes when SPF or DKIM does for an aligned domain; bulk senders want both, as forwarding breaks SPF.

    `key`, `path`: whether the key of the From domain and the SPF of the return path hold by themselves.
    """

    def said(level: Level, message: str, hint: str = "") -> Verdict:
        where = f"From {wanted.sender}"
        return Verdict(check="alignment", level=level, where=where, message=message, hint=hint, ground=BULK)

    if not wanted.signs:
        yield said(UNKNOWN, f"it depends on the domains that {wanted.provider} signs and returns with")
        return
    by_key = key in (OK, WARNING)  # our signers choose the very domain of From: strict holds as relaxed does
    name = f"the return path {wanted.envelope}" if wanted.envelope else f"the return path of {wanted.provider}"
    by_path = wanted.envelope is not None and aligned(wanted.envelope, wanted.sender, policy.spf, ask)
    by_path = by_path and path in (OK, WARNING)
    if by_key and by_path:
        yield said(OK, f"both d={wanted.sender} and {name} pass (adkim={policy.dkim}, aspf={policy.spf})")
    elif UNKNOWN in (key, path):
        yield said(UNKNOWN, "not every answer came in time")
    elif by_key:
        hint = f"a bounce_domain below {wanted.sender} with its own SPF; aspf=s wants {wanted.sender} itself"
        yield said(WARNING if wanted.envelope else OK, f"d={wanted.sender} passes, {name} does not", hint)
    elif by_path:
        yield said(WARNING, f"{name} passes, no key of ours does: what is forwarded fails", "sign with DKIM")
    else:
        yield said(ERROR, f"neither a key of {wanted.sender} nor {name} passes: DMARC fails", "mend SPF or DKIM above")
