"""Embedded pictures on their way: in every message once, as a provider's attachments, and never another picture than approved."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from newsletter import deliver
from newsletter.deliver.providers.contract import Piece
from newsletter.deliver.providers.transport import requests_of
from newsletter.mail.inline import cid_url
from newsletter.mail.manifest import content_hash
from newsletter.mail.markers import make_nonce
from newsletter.model import Image, Mailing, MailingId, MailingKind, MailingState, new_id
from newsletter.store import deliveries, images, mailings, receipts
from subscribers import audience
from tests.conftest import NOW, subscribe
from tests.deliver.conftest import addresses, outbox, rendering
from tests.fakes.pictures import photo
from tests.fakes.providers import Postmark

PICTURE = Image.of(photo(), "jpg", width=1200, height=800)


@pytest.fixture
def embedding():
    """`embedding(app, addresses)` freezes a mailing whose HTML embeds PICTURE."""

    def make(app, people):
        subscribe(app, "tin", people)
        mailing_id = MailingId(new_id())
        nonce = make_nonce(app.nonce_secret, mailing_id)
        plain = rendering(nonce)
        tag = f'<img src="{cid_url(PICTURE.name, "vien.example")}" alt="" width="552">'
        renderings = (replace(plain, html=plain.html.replace("<body>", f"<body>{tag}")),)
        sender = f"Bản tin Viện <{app.settings.sender.address}>"
        mailing = Mailing(
            id=mailing_id, kind=MailingKind.ISSUE, state=MailingState.COMPOSED, issue_id=None, list_slug="tin",
            sender_name="Bản tin Viện", unknown_policy="hold", nonce=nonce, renderings=renderings, images=(PICTURE.name,),
            content_hash=content_hash(renderings, sender=sender, list_id="tin", images=(PICTURE.name,)),
        )  # fmt: skip
        with app.db.begin() as conn:
            images.keep(conn, ("https://vien.example/1.jpg", 552, 310), PICTURE, now=NOW)
            mailings.add(conn, mailing, now=NOW)
            deliveries.freeze(conn, mailing_id, audience(conn, "tin"), now=NOW)
        return mailing_id

    return make


def test_every_message_carries_the_picture(make_app, embedding):
    app = make_app()
    embedding(app, addresses(3))
    deliver.run(app, NOW)
    files = outbox(app)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}, "addresses and links are for the owner alone"
    assert app.settings.outbox.stat().st_mode & 0o777 == 0o700
    assert len(files) == 3
    for file in files:
        raw = file.read_bytes()
        assert raw.count(f"Content-ID: <{PICTURE.name}@vien.example>".encode()) == 1
        assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("damage", ["UPDATE images SET content = :other", "DELETE FROM mailing_images"])
def test_another_picture_than_the_approved_one_is_not_sent(make_app, embedding, damage):
    app = make_app()
    mailing_id = embedding(app, addresses(2))
    with app.db.begin() as conn:
        conn.execute(sa.text(damage), {"other": b"\xff\xd8 another"} if ":other" in damage else {})
    deliver.run(app, NOW)
    with app.db.read() as conn:
        assert receipts.count(conn, mailing_id).sent == 0
    assert outbox(app) == []


def test_postmark_gets_it_as_an_attachment_with_its_content_id(make_app, embedding, authority):
    with Postmark(authority.server("api.postmarkapp.com")) as server:
        app = make_app(
            transport={"kind": "postmark", "postmark": {"token": "right", "timeout": 5}},
            fetch={"resolve": {"api.postmarkapp.com": server.at}, "ca_file": authority.ca_file},
        )
        embedding(app, addresses(2))
        deliver.run(app, NOW)
    assert len(server.received) == 2
    for message in server.received:
        assert message.pictures == {f"{PICTURE.name}@vien.example"}
        assert f"cid:{PICTURE.name}@vien.example" in message.html


def test_heavy_messages_are_handed_over_in_several_requests():
    heavy = Piece(content=b"x" * 90_000, message_id="m")
    made = requests_of([heavy] * 100, most=100, most_octets=4_000_000)
    assert sum(map(len, made)) == 100
    assert len(made) > 1
    assert all(sum(len(piece.content) for piece in some) <= 4_000_000 for some in made)
    assert list(map(len, requests_of([heavy] * 100, most=40, most_octets=40_000_000))) == [40, 40, 20]
    assert list(map(len, requests_of([heavy] * 2, most=40, most_octets=10))) == [1, 1], "it is for the provider to say"
    assert requests_of([], most=1, most_octets=1) == []
