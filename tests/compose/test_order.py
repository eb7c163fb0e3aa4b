"""Pins and places of staff among what is ranked."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.order import Seat, seated
from newsletter.model import Pin

AT = datetime(2026, 11, 22, tzinfo=UTC)


def row(*words: str) -> list[Seat]:
    """`a1` is an article of section a."""
    return [Seat(key=word, section=word[0]) for word in words]


def keys(seats: list[Seat]) -> list[str]:
    return [seat.key for seat in seats]


def changed(seats: list[Seat], **said: Seat) -> list[Seat]:
    return [said.get(seat.key, seat) for seat in seats]


def test_without_a_word_of_staff_the_rank_is_the_order() -> None:
    assert keys(seated(row("a1", "b1", "a2"))) == ["a1", "b1", "a2"]


def test_a_pinned_lead_comes_first_and_the_others_keep_their_order() -> None:
    seats = changed(row("a1", "b1", "a2"), a2=Seat(key="a2", section="a", pin=Pin.LEAD))
    assert keys(seated(seats)) == ["a2", "a1", "b1"]


def test_pinned_in_its_section_it_stands_before_its_fellows_and_other_sections_stay() -> None:
    pinned = Seat(key="a3", section="a", pin=Pin.FIRST)
    seats = changed(row("b1", "a1", "b2", "a2", "a3"), a3=pinned)
    assert keys(seated(seats)) == ["b1", "a3", "b2", "a1", "a2"]


def test_a_pin_within_the_section_makes_no_lead_where_the_design_sets_one_apart() -> None:
    seats = changed(row("a1", "a2", "a3"), a3=Seat(key="a3", section="a", pin=Pin.FIRST))
    assert keys(seated(seats)) == ["a1", "a3", "a2"]
    assert keys(seated(seats, lead=False)) == ["a3", "a1", "a2"]


def test_a_place_holds_and_of_two_the_later_word_counts() -> None:
    early, late = (
        Seat(key=key, section="a", place=2, at=AT + timedelta(hours=n)) for n, key in enumerate(("a3", "a4"))
    )
    seats = changed(row("a1", "a2", "a3", "a4"), a3=early, a4=late)
    assert keys(seated(seats)) == ["a1", "a4", "a3", "a2"]


def test_a_place_beyond_the_end_is_the_end_and_the_lead_stays_first() -> None:
    far, lead = Seat(key="a1", section="a", place=40), Seat(key="a2", section="a", pin=Pin.LEAD)
    first = Seat(key="a3", section="a", place=1)
    assert keys(seated(changed(row("a1", "a2", "a3", "a4"), a1=far, a2=lead, a3=first))) == ["a2", "a3", "a4", "a1"]


SEATS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.one_of(st.none(), st.integers(1, 12)),
        st.sampled_from([None, None, Pin.FIRST, Pin.LEAD]),
        st.integers(0, 3),
    ),
    max_size=10,
)


@given(SEATS, st.booleans())
def test_nobody_loses_a_seat_and_lone_places_hold(drawn: list[tuple[str, int | None, Pin | None, int]], lead: bool):
    seats = [
        Seat(key=str(n), section=section, place=None if pin else place, pin=pin, at=AT + timedelta(hours=hour))
        for n, (section, place, pin, hour) in enumerate(drawn)
    ]
    order = seated(seats, lead=lead)
    assert sorted(keys(order)) == sorted(keys(seats))
    assert order == seated(seats, lead=lead)
    leads = [seat for seat in seats if seat.pin is Pin.LEAD]
    assert not leads or order[0] in leads
    placed = [seat for seat in seats if seat.place]
    if len(placed) == 1 and not leads and placed[0].place <= len(seats):
        assert order[placed[0].place - 1] == placed[0]
