"""Idempotency-Key: done once, answered alike; on both databases, whoever comes second."""

import threading
from datetime import timedelta

import pytest

from newsletter.model import Scope
from newsletter.store import answers, issues
from newsletter.store.answers import DEAD, KEPT
from newsletter.web.api import repeats

LIST = {"slug": "moi", "name": "Mới"}


def lists_of(client):
    return [one["slug"] for one in client("GET", "/lists").json["data"]]


def test_the_same_again_is_answered_alike_and_does_nothing(both):
    first = both("POST", "/lists", LIST, Idempotency_Key="mot")
    again = both("POST", "/lists", LIST, Idempotency_Key='"mot"')
    assert (first.status, first.json) == (again.status, again.json) == (201, first.json)
    assert again.answer.headers["content-type"] == "application/json"
    assert "idempotency-replayed" not in first.answer.headers
    assert again.answer.headers["idempotency-replayed"] == "true"
    assert both("POST", "/lists", LIST).status == 422, "without the key it is another request"


def test_an_extra_issue_is_made_once(both, both_worlds):
    made = {both("POST", "/newsletters/ban-tin/issues", Idempotency_Key="so-1").json["id"] for _ in range(3)}
    with both_worlds.app.db.read() as conn:
        assert {one.id for one in issues.listed(conn)} == made
    assert len(made) == 1


def test_a_key_used_for_another_body_path_or_query_is_refused(both):
    both("POST", "/lists", LIST, Idempotency_Key="mot")
    for path, body in (("/lists", LIST | {"name": "Khác"}), ("/subscribers", LIST), ("/lists?x=1", LIST)):
        said = both("POST", path, body, Idempotency_Key="mot")
        assert said.status == 422
        assert "another request" in said.problem
    assert lists_of(both) == ["ban-doc", "moi"]


def test_a_refusal_is_kept_too(both):
    first = both("POST", "/lists", {"slug": "A"}, Idempotency_Key="sai")
    again = both("POST", "/lists", {"slug": "A"}, Idempotency_Key="sai")
    assert first.status == again.status == 422
    assert first.json == again.json
    assert again.answer.headers["content-type"] == "application/problem+json"


def test_keys_are_each_tokens_own(both, both_worlds, client_of):
    other = client_of(both_worlds, Scope.LISTS_WRITE)
    assert both("POST", "/lists", LIST, Idempotency_Key="mot").status == 201
    said = other("POST", "/lists", LIST | {"slug": "hai"}, Idempotency_Key="mot")
    assert said.status == 201


def test_a_race_of_many_is_won_by_one(both, both_worlds):
    told = []
    together = threading.Barrier(6)

    def one():
        together.wait()
        said = both("POST", "/newsletters/ban-tin/issues", Idempotency_Key="dua")
        told.append((said.status, said.json.get("id")))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with both_worlds.app.db.read() as conn:
        [made] = issues.listed(conn)
    assert set(told) <= {(201, made.id), (409, None)}
    assert (201, made.id) in told
    assert both("POST", "/newsletters/ban-tin/issues", Idempotency_Key="dua").json["id"] == made.id


def test_it_survives_a_restart_and_is_forgotten_after_a_day(both, both_worlds):
    both("POST", "/lists", LIST, Idempotency_Key="mot")
    both_worlds.app.limits._counts.clear()  # all that a process holds in memory
    both_worlds.clock.at += KEPT - timedelta(minutes=1)
    assert both("POST", "/lists", LIST, Idempotency_Key="mot").status == 201
    both_worlds.clock.at += timedelta(minutes=1)
    assert both("POST", "/lists", LIST, Idempotency_Key="mot").status == 422, "there is already such a list"


def test_while_the_first_is_under_way_the_second_is_told_so_and_a_dead_one_is_taken_over(both, both_worlds):
    app, token_id = both_worlds.app, both.token.split("_")[1]
    key = repeats._hash(app, b"mot")
    fingerprint = repeats._hash(app, b'POST\n/api/lists\n\n{"slug": "moi", "name": "M\\u1edbi"}')
    with app.db.begin() as conn:
        assert answers.begin(conn, token_id, key, fingerprint=fingerprint, now=app.clock.now()).turn
    said = both("POST", "/lists", LIST, Idempotency_Key="mot")
    assert (said.status, said.answer.headers["retry-after"]) == (409, "2")
    assert "under way" in said.problem
    both_worlds.clock.at += DEAD
    assert both("POST", "/lists", LIST, Idempotency_Key="mot").status == 201


def test_who_was_taken_over_cannot_answer_any_more(db):
    from newsletter.store import tokens
    from tests.conftest import NOW

    with db.begin() as conn:
        token_id = tokens.add(conn, "t", [Scope.IMPORT], key=b"k" * 32, now=NOW).split("_")[1]
        first = answers.begin(conn, token_id, "k", fingerprint="f", now=NOW)
        second = answers.begin(conn, token_id, "k", fingerprint="f", now=NOW + DEAD)
        assert second.turn
        assert not answers.keep(conn, token_id, "k", turn=first.turn, status=200, headers={}, body="first")
        answers.give_up(conn, token_id, "k", turn=first.turn)
        assert answers.keep(conn, token_id, "k", turn=second.turn, status=200, headers={}, body="second")
        assert answers.begin(conn, token_id, "k", fingerprint="f", now=NOW + DEAD).body == "second"
        assert answers.forget(conn, now=NOW + DEAD) == 0
        assert answers.forget(conn, now=NOW + DEAD + KEPT) == 1


def test_what_was_not_done_may_be_tried_again_with_the_key(both, both_worlds, monkeypatch):
    from newsletter.web.api import lists

    def breaks(*_args, **_named):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(lists.subscribers, "create_list", breaks)
        assert both("POST", "/lists", LIST, Idempotency_Key="mot").status == 500
    assert both("POST", "/lists", LIST, Idempotency_Key="mot").status == 201


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "khóa".encode().decode("latin-1")])
def test_a_key_that_cannot_be_one_is_refused(api, key):
    said = api("POST", "/lists", LIST, Idempotency_Key=key)
    assert said.status == 400
    assert "Idempotency-Key" in said.problem
    assert lists_of(api) == ["ban-doc"]


def test_no_address_is_kept_with_an_answer(both, both_worlds):
    body = {"email": "moi@doc-gia.example", "list": "ban-doc", "consent": {"wording": "w"}, "name": "Tên Riêng"}
    for confirmed in (False, True):
        both(
            "POST", "/subscribers", body | {"confirmed": confirmed}, Idempotency_Key=f"moi@doc-gia.example {confirmed}"
        )
    both("POST", "/subscribers/lookup", {"email": "moi@doc-gia.example"}, Idempotency_Key="tim")
    with both_worlds.app.db.read() as conn:
        rows = [tuple(row) for row in conn.exec_driver_sql("SELECT * FROM api_answers")]
    assert len(rows) == 2
    assert "doc-gia" not in str(rows)
    assert "Riêng" not in str(rows)
