"""Who may ask the API what, how often, with how much; whatever the spelling."""

import json
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from newsletter.limits import Rule
from newsletter.log import configure
from newsletter.model import Scope
from newsletter.store import tokens
from newsletter.web.api import door
from newsletter.web.api.document import operations
from tests.web.api.conftest import Client, make_token

SPELLINGS = [
    "/api/subscribers", "/api/subscribers/", "/api//subscribers", "//api/subscribers", "/API/subscribers",
    "/api/Subscribers", "/api/%73ubscribers", "/api/subscribers%2F", "/api/subscribers%2f{id}", "/api/./subscribers",
    "/api/x/../subscribers", "/api/subscribers;a=1", "/api/subscribers.json", "/api/subscribers%00", "/%61pi/subscribers",
    "/api/subscribers?authorization=Bearer%20{token}", "/api/subscribers?access_token={token}", "/api/subscribers/{id}",
    "/api/subscribers/{id}/", "/api/subscribers/{id}%2Fexport", "/api%2Fsubscribers", "/api\\subscribers",
]  # fmt: skip


def document(world):
    return json.loads(world.fetch("/api/openapi.json").text)


def test_every_operation_wants_a_token_and_says_so_in_one_form(world):
    for method, path, operation in operations(document(world)):
        for shown in ("", "Bearer", "Bearer x", f"Bearer nl_{'0' * 16}_{'x' * 43}", "Basic YTpi", "Token a:b"):
            headers = {"Authorization": shown} if shown else {}
            if shown not in ("", f"Bearer nl_{'0' * 16}_{'x' * 43}") and operation["tags"] != ["lists"]:
                continue  # every kind of nonsense at one group, the two main ones everywhere
            answer = world.fetch(f"/api{path}", method=method, headers=headers)
            assert answer.status == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith('Bearer realm="api"')


def test_every_operation_refuses_a_token_without_its_scope(world, client_of):
    for method, path, operation in operations(document(world)):
        needed = {Scope(scope) for one in operation["security"] for scope in one["bearer"]}
        poor = client_of(world, *(set(Scope) - needed), name=f"not {operation['operationId']}")
        said = poor(method, path.replace("{id}", "0" * 16))
        assert said.status == 403, (method, path, said.text)
        assert "lacks the scope" in said.problem
        assert 'error="insufficient_scope"' in said.answer.headers["www-authenticate"]


def test_no_spelling_of_a_path_leads_past_the_door(world):
    token = make_token(world, Scope.SUBSCRIBE)
    known = world.people["ngoc@doc-gia.example"]
    before = {name: rows for name, rows in world.dump().items() if name != "api_tokens"}
    for spelling in SPELLINGS:
        path = spelling.format(
            id=known, token=make_token(world, *Scope, name=spelling.replace("?", " ")[:60].translate(PLAIN))
        )
        for method in ("GET", "HEAD", "DELETE", "PATCH", "POST", "PUT", "OPTIONS", "get"):
            status = raw(world, method, path, token)
            assert status in (400, 401, 403, 404, 405, 415, 422), (method, path, status)
    after = {name: rows for name, rows in world.dump().items() if name != "api_tokens"}
    assert after == before


PLAIN = str.maketrans(dict.fromkeys("%;\\?=&{}", "-"))


def raw(world, method, path, token):
    """The status of a request written by hand: no library tidies the path."""
    parts = urlsplit(world.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        line.sendall(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
        )
        return int(line.makefile("rb").readline().split()[1])


def test_a_token_ends_when_it_is_revoked_or_too_old_and_notes_its_last_use(world):
    now = world.clock.now()
    with world.app.db.begin() as conn:
        short = tokens.add(
            conn,
            "short",
            [Scope.LISTS_READ],
            key=world.app.suppression_key,
            now=now,
            expires_at=now + timedelta(days=1),
        )
        ended = tokens.add(conn, "ended", [Scope.LISTS_READ], key=world.app.suppression_key, now=now)
    assert Client(world, short)("GET", "/lists").status == 200
    assert Client(world, ended)("GET", "/lists").status == 200
    with world.app.db.begin() as conn:
        assert {one.name: one.last_used_at for one in tokens.listed(conn)} == {"short": now, "ended": now}
        tokens.revoke(conn, "ended", now=now)
    world.clock.at += timedelta(days=1)
    for token in (short, ended):
        said = Client(world, token)("GET", "/lists")
        assert (said.status, 'error="invalid_token"' in said.answer.headers["www-authenticate"]) == (401, True)


def test_half_a_token_or_another_ones_secret_is_none(world):
    first, second = make_token(world, Scope.LISTS_READ, name="a"), make_token(world, Scope.LISTS_READ, name="b")
    mixed = "_".join([*first.split("_", 2)[:2], second.split("_", 2)[2]])
    for wrong in (mixed, first[:-1], first + "x", first.upper(), first.replace("nl_", "nl-")):
        assert Client(world, wrong)("GET", "/lists").status == 401
    with world.app.db.read() as conn:
        rows = str([tuple(row) for row in conn.exec_driver_sql("SELECT * FROM api_tokens")])
    assert first.split("_", 2)[2] not in rows


def test_two_authorizations_are_none_and_cookies_count_for_nothing(world):
    token = make_token(world, Scope.LISTS_READ)
    cookie = world.log_in()
    assert world.fetch("/api/lists", cookie=cookie).status == 401
    parts = urlsplit(world.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        twice = f"Authorization: Bearer {token}\r\n" * 2
        line.sendall(f"GET /api/lists HTTP/1.1\r\nHost: x\r\n{twice}Connection: close\r\n\r\n".encode())
        assert line.makefile("rb").readline().split()[1] == b"401"


def test_too_many_requests_wait_by_token_and_by_network(world, client_of, monkeypatch):
    monkeypatch.setattr(door, "PER_TOKEN", Rule(name="api-token", most=3, within=timedelta(minutes=1)))
    monkeypatch.setattr(door, "PER_NETWORK", Rule(name="api-network", most=8, within=timedelta(minutes=1)))
    eager, calm = client_of(world, Scope.LISTS_READ, name="eager"), client_of(world, Scope.LISTS_READ, name="calm")
    assert [eager("GET", "/lists").status for _ in range(4)] == [200, 200, 200, 429]
    assert calm("GET", "/lists").status == 200, "another token's requests are its own"
    for path in ("/api/openapi.json", "/api/nowhere", "/api/lists"):
        assert world.fetch(path).status != 429, path
    for path in ("/api/openapi.json", "/api/docs", "/api/nowhere", "/api/lists", "/api//lists", "/api/"):
        answer = world.fetch(path, headers={"Authorization": f"Bearer {calm.token}"})
        assert (answer.status, answer.headers["retry-after"]) == (429, "60"), path
        assert json.loads(answer.text)["status"] == 429
    assert world.fetch("/").status == 200, "the pages go on"
    world.clock.at += timedelta(minutes=1)
    assert eager("GET", "/lists").status == 200


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        (b'{"slug": "a', 422, "no JSON"),
        (b"[" * 100_000, (400, 422), ""),
        (b"[]", 422, "body"),
        (b"{}", 422, "slug: Field required"),
        (b'{"slug":"a","name":"\\u0000"}', 422, "zero character"),
        (b'{"slug":"a","name":"\\ud800"}', 422, "name"),
        (b'{"slug":"a","name":"A","colour":"red"}', 422, "colour"),
        (b'{"slug":"A B","name":"A"}', 422, "slug"),
        (b'{"slug":"ban-doc","name":"A"}', 422, "already"),
        (b'{"slug":"x","name":"' + b"a" * (300 << 10) + b'"}', 413, "256 kB"),
        ('{"slug":"ế","name":"x"}'.encode("utf-16"), (400, 422), ""),
    ],
)
def test_a_body_that_cannot_be_used_is_one_clear_line(api, body, status, line):
    said = api("POST", "/lists", body)
    assert said.status in (status if isinstance(status, tuple) else (status,)), said.text
    assert line in said.problem


def test_a_body_that_is_said_to_be_no_json_is_refused(api):
    assert api("POST", "/lists", b"slug=a&name=b", Content_Type="application/x-www-form-urlencoded").status == 415
    assert api("POST", "/lists", b'{"slug":"a","name":"b"}', Content_Type="text/plain").status == 415


def test_no_error_repeats_what_was_sent(api, caplog, capsys):
    configure("debug", "json")
    address = "bí.mật@rất-riêng.example"
    for body in (
        {"email": address, "list": 7, "consent": {"wording": "w"}},
        {"email": address, "list": "khong-co", "consent": {"wording": "w"}},
        {"email": f"{address}@", "list": "ban-doc", "consent": {"wording": "w"}},
        {"email": [address], "list": "ban-doc", "consent": {"wording": "w", "ip": address}},
        {"email": address, "list": "ban-doc", "consent": address, address: 1},
    ):
        said = api("POST", "/subscribers", body)
        assert 400 <= said.status < 500
        assert "mật" not in said.text
        assert "\\u1eadt" not in said.text
    told = capsys.readouterr()
    assert "riêng" not in told.out + told.err + caplog.text


def test_what_another_site_sends_without_a_token_does_nothing_and_with_one_is_a_program(api, world):
    assert world.fetch("/api/lists", method="POST", headers={"Origin": "https://evil.example"}).status == 401
    said = api(
        "POST", "/lists", {"slug": "moi", "name": "Mới"}, Origin="https://app.example", Sec_Fetch_Site="cross-site"
    )
    assert said.status == 201


def test_a_fault_of_ours_is_a_problem_without_details(api, monkeypatch, capsys):
    from newsletter.web.api import lists

    def breaks(*_):
        raise RuntimeError("an@vien.example lies here")

    configure("info", "json")
    monkeypatch.setattr(lists.subscribers, "list_lists", breaks)
    said = api("GET", "/lists")
    assert (said.status, said.problem) == (500, "something broke here; it is in our log")
    told = capsys.readouterr()
    assert "request_broke" in told.err
    assert "an@vien.example" not in told.out + told.err


def test_a_path_that_is_not_there_and_a_method_that_is_not_either(api):
    assert api("GET", "/nothing").problem == "there is nothing here"
    said = api("PUT", "/lists")
    assert (said.status, said.answer.headers["allow"]) == (405, "GET")
    assert said.problem
