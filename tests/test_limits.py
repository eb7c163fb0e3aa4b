"""Counting strangers: within a span, in bounded room, and by the network they come from."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.limits import Limits, Rule, client_of, network_of

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TWO = Rule(name="two", most=2, within=timedelta(hours=1))


def test_a_rule_counts_within_its_span_and_each_key_for_itself():
    limits = Limits()
    assert [limits.take(TWO, "a", now=NOW) for _ in range(3)] == [True, True, False]
    assert limits.take(TWO, "b", now=NOW)
    assert not limits.take(TWO, "a", now=NOW + timedelta(minutes=59))
    assert limits.take(TWO, "a", now=NOW + timedelta(hours=1))


def test_the_room_is_bounded_and_what_was_used_longest_ago_goes_first():
    limits = Limits(most_keys=100)
    for n in range(1000):
        limits.take(TWO, str(n), now=NOW)
    assert len(limits._counts) == 100
    assert [limits.take(TWO, "999", now=NOW) for _ in range(2)] == [True, False]
    for n in range(1000):
        limits.spend(str(n), "x", until=NOW + timedelta(hours=2), now=NOW)
    assert len(limits._spent) == 100


def test_a_ticket_is_spent_once_and_remembered_until_it_is_worthless():
    limits, until = Limits(), NOW + timedelta(hours=2)
    assert limits.spend("t", "one", until=until, now=NOW) is None
    assert limits.spend("t", "two", until=until, now=NOW + timedelta(hours=1)) == "one"
    assert limits.spend("other", "x", until=until, now=until) is None
    assert "t" not in limits._spent


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unix", ""),
    ],
)
def test_a_visitor_is_counted_by_network(client, network):
    assert network_of(client) == network


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", "192.0.2.9", "198.51.100.1"),  # no proxy of ours: the header is the visitor's invention
        ("10.0.0.1", "192.0.2.9", "192.0.2.9"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.9", "192.0.2.9"),  # what stands before our proxy's word is invented
        ("10.0.0.1", "192.0.2.9, 10.0.0.2", "192.0.2.9"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_say_where_a_visitor_comes_from(peer, forwarded, client):
    assert client_of(peer, forwarded, frozenset({"10.0.0.1", "10.0.0.2"})) == client
