"""POST /hooks/{provider}: proved requests are kept and answered 200; all others leave nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.settings import Webhooks
from newsletter.store import returns
from tests.mail.webhooks import signing
from tests.web.conftest import Served, World, make_world

BODY = b'{"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 7, "Email": "ngoc@doc-gia.example"}'


@pytest.fixture
def hooked(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """Postmark's webhook is set up, and no other."""
    secrets = Webhooks.model_validate({"postmark": {"password": "vien:mat-khau"}})

    @contextmanager
    def served() -> Iterator[World]:
        def made(url: str) -> World:
            world = make_world(sqlite_url, tmp_path, base_url=url)
            object.__setattr__(world.app, "settings", world.app.settings.model_copy(update={"webhooks": secrets}))
            return world

        with Served(made) as world:
            yield world

    with served() as world:
        yield world


def kept(world: World) -> int:
    with world.app.db.read() as conn:
        return len(returns.latest(conn, 10))


def test_a_proved_request_is_kept_and_told_again_changes_nothing(hooked: World) -> None:
    answer = hooked.fetch("/hooks/postmark", method="POST", body=BODY, headers=signing.basic())
    assert (answer.status, answer.text) == (200, '{"new":1}')
    assert hooked.fetch("/hooks/postmark", method="POST", body=BODY, headers=signing.basic()).text == '{"new":0}'
    assert kept(hooked) == 1


@pytest.mark.parametrize("headers", [{}, signing.basic("vien:sai"), {"Authorization": "Basic"}])
def test_an_unproved_request_is_asked_for_its_password_and_leaves_nothing(
    hooked: World, headers: dict[str, str]
) -> None:
    answer = hooked.fetch("/hooks/postmark", method="POST", body=BODY, headers=headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert kept(hooked) == 0


def test_what_is_not_set_up_is_not_there(hooked: World) -> None:
    for path in ("/hooks/brevo", "/hooks/nobody", "/hooks/", "/hooks"):
        assert hooked.fetch(path, method="POST", body=BODY, headers=signing.basic()).status == 404, path
    assert hooked.fetch("/hooks/postmark", headers=signing.basic()).status in (404, 405), "a GET never changes anything"
    assert kept(hooked) == 0


def test_a_body_without_end_is_refused(hooked: World) -> None:
    answer = hooked.fetch("/hooks/postmark", method="POST", body=b" " * (5 << 20), headers=signing.basic())
    assert answer.status == 413


def test_junk_is_refused_in_one_line(hooked: World) -> None:
    for body in (b"", b"\xff", b"[" * 100_000, b"3"):
        answer = hooked.fetch("/hooks/postmark", method="POST", body=body, headers=signing.basic())
        assert answer.status == 401
    assert kept(hooked) == 0
