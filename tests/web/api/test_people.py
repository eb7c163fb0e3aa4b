"""Subscribers and lists over the API: what each scope sees, how people come and go."""

import json
from datetime import timedelta

import pytest

import subscribers
from newsletter.model import LetterKind, Scope
from newsletter.readers import mailbox, signup
from newsletter.store import letters, staff
from subscribers import SuppressionReason, parse_address

CONSENT = {"wording": "Tôi muốn nhận bản tin.", "form": "app/2"}
NEW = {"email": "moi@doc-gia.example", "list": "ban-doc", "consent": CONSENT}


def known(world, address):
    with world.app.db.read() as conn:
        person_id = subscribers.find(conn, parse_address(address))
        return (person_id, subscribers.subscription(conn, "ban-doc", person_id)) if person_id else (None, None)


def asked(world):
    with world.app.db.read() as conn:
        return [letter.kind for letter in letters.asked(conn)]


# ---------------------------------------------------------------- looking


def test_all_people_are_seen_page_by_page_each_once(both):
    for number in range(7):
        both("POST", "/subscribers", NEW | {"email": f"n{number}@doc-gia.example", "confirmed": True})
    seen, cursor, pages = [], "", 0
    while True:
        page = both("GET", f"/subscribers?limit=3&list=ban-doc{cursor}").json
        seen += [one["email"] for one in page["data"]]
        pages += 1
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 10
    assert pages == 4
    everybody = both("GET", "/subscribers").json
    assert len(everybody["data"]) == 12, "with the two of staff, who are on no list"
    assert everybody["next_cursor"] is None


def test_addresses_are_masked_without_their_scope(world, client_of):
    poor = client_of(world, Scope.SUBSCRIBERS_READ)
    rich = client_of(world, Scope.SUBSCRIBERS_READ, Scope.ADDRESSES_READ)
    person_id = world.people["ngoc@doc-gia.example"]
    for path in ("/subscribers", f"/subscribers/{person_id}"):
        said = poor("GET", path)
        assert "@" not in said.text
        assert "doc-gia" not in said.text
        assert "ngoc@doc-gia.example" in rich("GET", path).text
    found = poor("POST", "/subscribers/lookup", {"email": "NGOC@doc-gia.example"})
    assert (found.json["id"], found.json["email"]) == (person_id, None)
    assert poor("POST", "/subscribers/lookup", {"email": "ai@doc-gia.example"}).status == 404
    assert poor("GET", f"/subscribers/{person_id}/export").status == 403
    held = rich("GET", f"/subscribers/{person_id}/export").json
    assert held["address"] == "ngoc@doc-gia.example"
    assert held["consents"][0]["wording"] == "Yes"


def test_an_export_needs_both_scopes_and_says_so(world, client_of):
    path = f"/subscribers/{world.people['ngoc@doc-gia.example']}/export"
    for scope in (Scope.SUBSCRIBERS_READ, Scope.ADDRESSES_READ):
        said = client_of(world, scope)("GET", path)
        assert said.status == 403
        assert "subscribers:read addresses:read" in said.json["detail"]
        assert "doc-gia" not in said.text
    assert client_of(world, Scope.SUBSCRIBERS_READ, Scope.ADDRESSES_READ)("GET", path).status == 200
    document = json.loads(world.fetch("/api/openapi.json").text)
    declared = document["paths"]["/subscribers/{id}/export"]["get"]["security"]
    assert declared == [{"bearer": ["subscribers:read", "addresses:read"]}]


def test_people_are_sought_by_state_and_subscription(api, world):
    person_id = world.people["minh@doc-gia.example"]
    with world.app.db.begin() as conn:
        subscribers.unsubscribe(conn, "ban-doc", person_id, now=world.clock.now(), reason="page")
        key, other = world.app.suppression_key, world.people["ada@reader.example"]
        subscribers.suppress(conn, other, reason=SuppressionReason.BOUNCED, now=world.clock.now(), key=key)
    left = api("GET", "/subscribers?list=ban-doc&subscription=unsubscribed").json["data"]
    assert [one["id"] for one in left] == [person_id]
    assert left[0]["subscriptions"][0]["left_reason"] == "page"
    assert [one["id"] for one in api("GET", "/subscribers?state=bounced").json["data"]] == [other]
    assert api("GET", "/subscribers?subscription=active").status == 422
    assert api("GET", "/subscribers?list=khong").status == 404
    assert api("GET", "/subscribers?limit=0").status == 422
    assert api("GET", "/subscribers?cursor=x'--").status == 422
    assert api("GET", f"/subscribers/{'0' * 16}").status == 404


# ---------------------------------------------------------------- joining


def test_a_sign_up_waits_for_the_letter_and_keeps_what_was_agreed_to(both, both_worlds):
    said = both("POST", "/subscribers", NEW | {"language": "vi", "name": "Người Mới"})
    assert (said.status, said.json["status"]) == (202, "pending")
    person_id, held = known(both_worlds, "moi@doc-gia.example")
    assert (said.json["id"], held.state) == (person_id, "pending")
    assert asked(both_worlds) == [LetterKind.CONFIRM]
    assert both_worlds.woken.is_set()
    with both_worlds.app.db.read() as conn:
        [row] = subscribers.evidence(conn, person_id)
    assert (row.source, row.form, row.wording, row.ip) == ("api", "app/2", CONSENT["wording"], None)


def test_vouched_for_they_are_subscribed_at_once_and_no_letter_goes_out(both, both_worlds):
    said = both("POST", "/subscribers", NEW | {"confirmed": True})
    assert (said.status, said.json["status"]) == (200, "active")
    assert asked(both_worlds) == []
    assert both("POST", "/subscribers", NEW | {"confirmed": True}).json == said.json, "twice is once"


def test_vouching_never_brings_back_who_left_or_was_erased_and_a_letter_may(both, both_worlds):
    left = both_worlds.people["minh@doc-gia.example"]
    gone = both_worlds.people["ada@reader.example"]
    both("DELETE", f"/subscribers/{left}/lists/ban-doc")
    assert both("DELETE", f"/subscribers/{gone}").json["changed"] is True
    for address, reason in (("minh@doc-gia.example", "they left"), ("ada@reader.example", "must not be written to")):
        said = both("POST", "/subscribers", NEW | {"email": address, "confirmed": True})
        assert said.status == 409
        assert reason in said.problem
        assert both("POST", "/subscribers", NEW | {"email": address}).status == 202
        assert known(both_worlds, address)[1].state == "pending"


def test_with_subscribe_alone_every_address_gets_the_same_answer(both_worlds, client_of):
    form = client_of(both_worlds, Scope.SUBSCRIBE)
    both_worlds.app.limits.take(mailbox.MAILBOX, "warm", now=both_worlds.clock.now())
    suppressed = parse_address("cam@doc-gia.example")
    with both_worlds.app.db.begin() as conn:
        subscribers.suppress(
            conn, suppressed, reason=SuppressionReason.STAFF, now=both_worlds.clock.now(), key=both_worlds.app.suppression_key
        )  # fmt: skip
    answers = set()
    for address in ("moi@doc-gia.example", "moi@doc-gia.example", "ngoc@doc-gia.example", "cam@doc-gia.example",
                    "bien-tap@vien.example"):  # fmt: skip
        said = form("POST", "/subscribers", NEW | {"email": address})
        headers = {name: value for name, value in said.answer.headers.items() if name != "date"}
        answers.add((said.status, said.text, str(headers)))
    assert len(answers) == 1
    assert (said.status, said.text) == (202, '{"status":"asked","id":null}')
    assert known(both_worlds, "moi@doc-gia.example")[1].state == "pending"


def test_with_subscribe_alone_nothing_else_can_be_said_or_seen(world, client_of):
    form = client_of(world, Scope.SUBSCRIBE)
    assert form("POST", "/subscribers", NEW | {"confirmed": True}).status == 403
    assert form("POST", "/subscribers", NEW | {"name": "Ai"}).status == 403
    with world.app.db.begin() as conn:
        subscribers.create_list(conn, "noi-bo", name="Nội bộ", now=world.clock.now())
    assert form("POST", "/subscribers", NEW | {"list": "noi-bo"}).status == 404
    assert form("POST", "/subscribers", NEW | {"list": "khong-co"}).status == 404
    assert form("GET", "/subscribers").status == 403


def test_the_limits_of_the_public_page_stand_here_too(world, client_of):
    form = client_of(world, Scope.SUBSCRIBE)
    told = [
        form("POST", "/subscribers", NEW | {"email": f"a{n}@gmail.com"}).status for n in range(signup.PROVEN.most + 1)
    ]
    assert told == [202] * signup.PROVEN.most + [429]
    world.clock.at += timedelta(hours=2)
    for _ in range(6):
        assert form("POST", "/subscribers", NEW | {"email": "mot@gmail.com"}).status == 202
        world.clock.at += timedelta(minutes=61)
    sent = [kind for kind in asked(world) if kind is LetterKind.CONFIRM]
    assert len(sent) == signup.PROVEN.most + mailbox.MAILBOX.most, "letters to one mailbox end, silently"
    assert form("POST", "/subscribers", NEW | {"email": "x@mailinator.com"}).status == 422


def test_a_program_that_names_its_visitors_is_counted_by_them(world, api):
    one = NEW | {"consent": CONSENT | {"ip": "203.0.113.9"}}
    told = [
        api("POST", "/subscribers", one | {"email": f"a{n}@gmail.com"}).status for n in range(signup.PROVEN.most + 1)
    ]
    assert told[-1] == 429
    assert api("POST", "/subscribers", NEW | {"consent": CONSENT | {"ip": "203.0.113.10"}}).status == 202


# ---------------------------------------------------------------- changing and letting go


def test_a_subscriber_is_changed_and_what_is_left_out_stays(both, both_worlds):
    person_id = both_worlds.people["ngoc@doc-gia.example"]
    for slug, kind in (("khoa", "text"), ("nam", "number")):
        assert both("POST", "/attributes", {"slug": slug, "type": kind}).status == 201
    both("PATCH", f"/subscribers/{person_id}", {"attributes": {"khoa": "Địa lý"}})
    said = both("PATCH", f"/subscribers/{person_id}", {"attributes": {"nam": 3}, "time_zone": "Asia/Tokyo"})
    assert (said.json["name"], said.json["language"]) == ("Ngoc", "vi")
    assert said.json["attributes"] == {"khoa": "Địa lý", "nam": 3}
    assert both("GET", f"/subscribers/{person_id}").json == said.json
    assert both("PATCH", f"/subscribers/{person_id}", {"language": ""}).json["language"] is None
    topics = both("PATCH", f"/subscribers/{person_id}/lists/ban-doc", {"topics": ["Biển", "Lúa"]})
    assert topics.json["subscriptions"][0]["topics"] == ["Biển", "Lúa"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"language": "tiếng Việt"}, "language"),
        ({"time_zone": "Hà Nội"}, "time_zone"),
        ({"attributes": {"chua_khai": "x"}}, ""),
        ({"attributes": ["a"]}, "attributes"),
        ({"name": 7}, "name"),
        ({"email": "khac@doc-gia.example"}, "email"),
    ],
)
def test_what_cannot_be_a_value_is_named_with_its_field(api, world, change, field):
    said = api("PATCH", f"/subscribers/{world.people['ngoc@doc-gia.example']}", change)
    assert said.status == 422
    assert said.json["errors"][0]["field"].startswith(field)


def test_leaving_twice_is_once_and_is_in_the_ledger(both, both_worlds):
    person_id = both_worlds.people["minh@doc-gia.example"]
    path = f"/subscribers/{person_id}/lists/ban-doc"
    assert [both("DELETE", path).json["changed"] for _ in range(2)] == [True, False]
    with both_worlds.app.db.read() as conn:
        assert subscribers.evidence(conn, person_id)[-1].source == "api"
    assert both("DELETE", f"/subscribers/{'0' * 16}/lists/ban-doc").status == 404
    assert both("DELETE", f"/subscribers/{person_id}/lists/khong").status == 404


def test_suppressed_they_are_never_written_to_again(both, both_worlds):
    person_id = both_worlds.people["minh@doc-gia.example"]
    assert both("POST", f"/subscribers/{person_id}/suppress", {}).json["changed"] is True
    assert both("POST", f"/subscribers/{person_id}/suppress", {}).json["changed"] is False
    assert both("POST", f"/subscribers/{person_id}/suppress", {"list": "khong"}).status == 404
    said = both("POST", "/subscribers", NEW | {"email": "minh@doc-gia.example", "confirmed": True})
    assert said.status == 409


def test_erased_they_are_an_id_and_staff_cannot_be(both, both_worlds):
    person_id = both_worlds.people["minh@doc-gia.example"]
    both("DELETE", f"/subscribers/{person_id}")
    said = both("GET", f"/subscribers/{person_id}").json
    assert (said["state"], said["email"], said["email_masked"], said["name"]) == ("erased", None, None, "")
    assert both("PATCH", f"/subscribers/{person_id}", {"name": "Lại"}).status == 404
    with both_worlds.app.db.read() as conn:
        member = staff.listed(conn)[0]
    assert "staff" in both("DELETE", f"/subscribers/{member.person_id}").problem


def test_lists_are_made_changed_and_counted(both):
    made = both("POST", "/lists", {"slug": "tin-nhanh", "name": "Tin nhanh"})
    assert (made.status, made.json["double_opt_in"]) == (201, True)
    changed = both("PATCH", "/lists/tin-nhanh", {"description": "Mỗi sáng"}).json
    assert (changed["name"], changed["description"]) == ("Tin nhanh", "Mỗi sáng")
    assert both("GET", "/lists/ban-doc").json["counts"]["active"] == 3
    assert [one["slug"] for one in both("GET", "/lists").json["data"]] == ["ban-doc", "tin-nhanh"]
    assert both("GET", "/lists/khong").status == 404
