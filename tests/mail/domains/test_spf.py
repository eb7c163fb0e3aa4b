"""SPF chains counted as RFC 7208 counts them; what receivers take as broken is broken here, and says why."""

import pytest

from newsletter.mail.domains.spf import read_spf
from newsletter.names import Status
from tests.mail.domains.conftest import answering

D = "vien.example"


def spf(record, **more):
    table = {(D, "TXT"): record}
    table |= {(name.replace("__", "."), "TXT"): value for name, value in more.items()}
    return read_spf(D, answering(table))


@pytest.mark.parametrize("end", ["-all", "~all", "?all", "+all"])
def test_networks_cost_no_lookup_and_the_end_is_told(end):
    found = spf(f"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 {end}")
    assert (found.lookups, found.void, found.end, found.broken) == (0, 0, end, "")
    assert found.passes == ["ip4:192.0.2.0/24", "ip6:2001:db8::/32"]


def test_a_bare_all_lets_everybody_in_and_what_stands_behind_it_never_counts():
    assert spf("v=spf1 all").end == "+all"
    found = spf("v=spf1 -all include:gone.example nonsense!")
    assert (found.end, found.lookups, found.broken) == ("-all", 0, "")


def test_includes_and_redirects_are_followed_and_counted():
    found = spf(
        "v=spf1 include:a.example redirect=b.example",
        a__example="v=spf1 include:c.example ?all",
        c__example="V=SPF1 ip4:192.0.2.1 -all",
        b__example="v=spf1 ip4:192.0.2.2 ~all",
    )
    assert (found.lookups, found.end, found.broken) == (3, "~all", "")
    assert found.chain == [D, "a.example", "c.example", "b.example"]
    found = spf("v=spf1 redirect=b.example -all", b__example="v=spf1 ~all")
    assert (found.end, found.lookups) == ("-all", 0), "redirect does not count beside all (section 6.1)"


def test_the_eleventh_lookup_breaks_it_wherever_it_stands():
    names = [f"s{n}" for n in range(11)]
    table = {(f"{name}.example", "TXT"): "v=spf1 ip4:192.0.2.1 -all" for name in names}
    ten = {**table, (D, "TXT"): "v=spf1 " + " ".join(f"include:{name}.example" for name in names[:10]) + " -all"}
    assert (read_spf(D, answering(ten)).lookups, read_spf(D, answering(ten)).broken) == (10, "")
    nested = {**ten, ("s3.example", "TXT"): "v=spf1 include:s10.example -all"}
    assert "11 DNS lookups" in read_spf(D, answering(nested)).broken


def test_a_chain_without_end_is_not_followed_to_its_end():
    asked = []

    def ask(name, kind):
        asked.append(name)
        following = f"n{len(asked)}.example"
        return answering({(name, "TXT"): f"v=spf1 include:{following} -all"})(name, kind)

    assert "lookups" in read_spf(D, ask).broken
    assert len(asked) < 60


def test_a_mechanism_that_finds_nothing_is_void_and_the_third_breaks_it():
    assert (spf("v=spf1 a mx -all").void, spf("v=spf1 a mx -all").broken) == (2, "")
    found = spf("v=spf1 a mx a:gone.example -all")
    assert (found.lookups, found.void) == (3, 3)
    assert "find nothing" in found.broken
    table = {(D, "TXT"): "v=spf1 a mx a:v6.example/24//64 -all", (D, "A"): "192.0.2.1", (D, "MX"): "10 mx.vien.example"}
    found = read_spf(D, answering({**table, ("v6.example", "AAAA"): "2001:db8::1"}))
    assert (found.lookups, found.void, found.broken) == (3, 0, "")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (["v=spf1 -all", "v=spf1 ~all"], "2 SPF records"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "'ip4:192.0.2.0/33' cannot be read"),
        ("v=spf1 ip6:192.0.2.1 -all", "cannot be read"),
        ("v=spf1 ip4 -all", "cannot be read"),
        ("v=spf1 include -all", "cannot be read"),
        ("v=spf1 includes:a.example -all", "cannot be read"),
        ("v=spf1 exists -all", "cannot be read"),
        ("v=spf1 -all:x", "cannot be read"),
        ("v=spf1 include:gone.example -all", "has no SPF record"),
        ("v=spf1 redirect=gone.example", "has no SPF record"),
        ("v=spf1 include:vien.example -all", "leads back to itself"),
        ("v=spf1 \u00e9 -all", "cannot be read"),
    ],
)
def test_what_receivers_take_as_a_permanent_error_says_why(record, words):
    assert words in spf(record).broken


def test_a_circle_of_includes_names_where_it_closes():
    found = spf("v=spf1 include:a.example -all", a__example="v=spf1 include:vien.example -all")
    assert found.broken == "a.example: include:vien.example leads back to itself"


def test_eleven_mail_hosts_are_too_many():
    table = {(D, "TXT"): "v=spf1 mx -all", (D, "MX"): [f"10 m{n}.example" for n in range(11)]}
    assert "mx names 11 hosts" in read_spf(D, answering(table)).broken


def test_macros_are_counted_and_not_asked():
    found = spf("v=spf1 exists:%{i}._spf.vien.example include:%{d2}.example ptr -all")
    assert (found.lookups, found.void, found.broken, found.uses_ptr) == (3, 0, "", True)


def test_other_texts_and_modifiers_are_no_matter():
    found = spf(["google-site=1", "v=spf10 nonsense", "v=spf1 exp=why.example x-new=1 -all"])
    assert (found.record, found.end, found.broken) == ("v=spf1 exp=why.example x-new=1 -all", "-all", "")
    assert spf("v=spf10 -all").records == ()


@pytest.mark.parametrize(
    ("status", "field"), [(Status.LATE, "unknown"), (Status.FAILED, "failing"), (Status.LOOP, "failing")]
)
def test_what_could_not_be_asked_is_said_and_not_judged(status, field):
    for found in (spf(status), spf("v=spf1 include:a.example -all", a__example=status)):
        assert status.value in getattr(found, field)
        assert found.broken == ""
