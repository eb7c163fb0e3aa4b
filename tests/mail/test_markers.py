import jinja2
import mjml
import pytest

from newsletter.errors import BadInput
from newsletter.mail.markers import FIELDS, Slot, fill, make_nonce, marker, places, split

NONCE = make_nonce(b"secret", "m1")


def test_the_nonce_depends_on_secret_and_mailing_and_nothing_else():
    assert make_nonce(b"secret", "m1") == NONCE
    assert len({make_nonce(b"secret", "m1"), make_nonce(b"secret", "m2"), make_nonce(b"other", "m1")}) == 3


def test_a_marker_survives_autoescape_and_mjml():
    env = jinja2.Environment(autoescape=True)
    source = env.from_string(
        '<mjml><mj-body><mj-section><mj-column><mj-text><a href="{{ u }}">{{ n }}</a></mj-text>'
        '<mj-button href="{{ u }}">x</mj-button></mj-column></mj-section></mj-body></mjml>'
    ).render(u=marker(NONCE, "unsubscribe_url"), n=marker(NONCE, "subscriber_name"))
    html = mjml.mjml2html(source)
    assert html.count(marker(NONCE, "unsubscribe_url")) == 2
    assert Slot("subscriber_name") in split(html, NONCE)


def test_splitting_keeps_literals_and_slots_in_order():
    text = f"a{marker(NONCE, 'subscriber_name')}{marker(NONCE, 'confirm_url')}b"
    assert split(text, NONCE) == ["a", Slot("subscriber_name"), Slot("confirm_url"), "b"]


def test_every_field_has_its_own_marker():
    assert len({marker(NONCE, field) for field in FIELDS}) == len(FIELDS) == 8
    assert [split(marker(NONCE, field), NONCE) for field in FIELDS] == [[Slot(field)] for field in FIELDS]


def test_content_with_another_mailings_marker_stays_text():
    forged = marker(make_nonce(b"secret", "m2"), "unsubscribe_url")
    assert split(forged, NONCE) == [forged]


def test_filling_escapes_in_html_only():
    text = f"Chào {marker(NONCE, 'subscriber_name')}!"
    values = {"subscriber_name": '<Bà> & "Cháu"'}
    assert fill(text, NONCE, values, html=True) == "Chào &lt;Bà&gt; &amp; &quot;Cháu&quot;!"
    assert fill(text, NONCE, values, html=False) == 'Chào <Bà> & "Cháu"!'


def test_a_marker_inside_a_value_is_not_filled_again():
    values = {"subscriber_name": marker(NONCE, "unsubscribe_url"), "unsubscribe_url": "https://x.example"}
    assert "https" not in fill(marker(NONCE, "subscriber_name"), NONCE, values, html=False)


def test_a_missing_value_and_an_unknown_field_are_told_by_name():
    with pytest.raises(BadInput, match="subscriber_email"):
        fill(marker(NONCE, "subscriber_email"), NONCE, {}, html=False)
    with pytest.raises(BadInput, match="shoe_size"):
        marker(NONCE, "shoe_size")


def test_attributes_have_markers_that_survive_as_the_others_do():
    slugs = ("city", "job_title", "a", "q", "qq", "b2_c3_q")
    text = "-".join(marker(NONCE, f"attribs.{slug}") for slug in slugs)
    assert text.replace("-", "").isalnum()
    assert text.isascii()
    assert split(text, NONCE) == [
        piece for slug in slugs for piece in ("-", Slot(f"attribs.{slug}"))
    ][1:]  # fmt: skip
    assert fill(text, NONCE, {"attribs.city": "<Huế>"}, html=True) == "&lt;Huế&gt;-----", "an absent one is nothing"
    assert places(text + marker(NONCE, "subscriber_timezone"), NONCE) == len(slugs) + 1


@pytest.mark.parametrize("slug", ["", "City", "job__title", "_a", "a-b", "thành_phố", "a" + "qQ"])
def test_what_is_no_attributes_name_has_no_marker(slug):
    with pytest.raises(BadInput):
        marker(NONCE, f"attribs.{slug}")
