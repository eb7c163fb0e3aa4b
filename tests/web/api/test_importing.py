"""A file of people, sent to the API."""

import io
import threading
from zipfile import ZipFile

import pytest

import subscribers
from newsletter.model import Scope
from newsletter.web.api import uploads
from subscribers import SubscriptionState, parse_address

FILE = """email,name,ghi chú
lan@doc-gia.example,Lan,x
hoa@doc-gia.example,Hoa,y
sai-dia-chi,Sai,z
minh@doc-gia.example,Minh,đã rời
lan@doc-gia.example,Lan,lần nữa
""".encode()
PATH = "/import/subscribers?list=ban-doc&consent=phieu-dang-ky-2026"
CSV = {"Content_Type": "text/csv"}


def active(world):
    with world.app.db.read() as conn:
        return subscribers.counts(conn, "ban-doc")[SubscriptionState.ACTIVE]


@pytest.fixture
def left(both, both_worlds):
    both("DELETE", f"/subscribers/{both_worlds.people['minh@doc-gia.example']}/lists/ban-doc")


def test_a_file_is_imported_once_and_again_changes_nothing(both, both_worlds, left):
    first = both("POST", PATH, FILE, **CSV)
    assert first.status == 200, first.text
    said = first.json
    assert (said["rows"], said["added"], said["already"], said["rejected"], said["refused"]) == (5, 2, 1, 1, 1)
    assert said["refused_by_reason"] == {"left": 1}
    assert [(one["line"], one["column"]) for one in said["rejected_rows"]] == [(4, "email")]
    assert said["tables"][0]["ignored"] == ["ghi chú"]
    assert active(both_worlds) == 4
    assert "doc-gia" not in first.text
    assert "sai-dia-chi" not in first.text
    again = both("POST", PATH, FILE, **CSV).json
    assert (again["added"], again["already"]) == (0, 3)
    with both_worlds.app.db.read() as conn:
        person_id = subscribers.find(conn, parse_address("lan@doc-gia.example"))
        [row] = subscribers.evidence(conn, person_id)
    assert (row.source, row.wording) == ("import", "phieu-dang-ky-2026")
    assert list(both_worlds.app.settings.data_dir.glob("upload-*")) == []


def test_a_dry_run_says_what_would_happen_and_writes_nothing(both, both_worlds, left):
    before = {name: rows for name, rows in both_worlds.dump().items() if name != "api_tokens"}
    said = both("POST", f"{PATH}&dry_run=true", FILE, **CSV).json
    assert (said["dry_run"], said["added"], said["findings"]["mailed"]) == (True, 2, 3)
    assert said["findings"]["held_back"][0]["lines"] == [5]
    assert {name: rows for name, rows in both_worlds.dump().items() if name != "api_tokens"} == before


def test_a_zip_is_read_by_what_it_is_and_not_by_what_it_is_called(api, world):
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("subscribed_members_export.csv", FILE)
    said = api("POST", PATH, packed.getvalue(), Content_Type="text/plain")
    assert (said.status, said.json["added"]) == (200, 2)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        (PATH, b"", 422, None),
        (PATH, b"%PDF-1.7 ...", 422, "file"),
        (PATH, b"a,b\n1,2\n", 422, "file"),
        ("/import/subscribers?list=ban-doc", FILE, 422, "consent"),
        ("/import/subscribers?consent=x", FILE, 422, "list"),
        ("/import/subscribers?list=khong&consent=x", FILE, 404, None),
        (f"{PATH}&encoding=klingon", FILE, 422, "file"),
    ],
)
def test_what_cannot_be_imported_is_one_line_without_a_path_of_ours(api, world, path, body, status, field):
    said = api("POST", path, body, **CSV)
    assert said.status == status, said.text
    assert said.problem
    assert "upload-" not in said.text
    if field is not None:
        assert said.json["errors"][0]["field"] == field
    assert active(world) == 3
    assert list(world.app.settings.data_dir.glob("upload-*")) == []


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(api, world, monkeypatch):
    monkeypatch.setattr(uploads, "MOST", 100)
    assert api("POST", PATH, FILE * 2, **CSV).status == 413
    assert active(world) == 3
    assert list(world.app.settings.data_dir.glob("upload-*")) == []


def test_importing_needs_its_own_scope_and_a_stranger_uploads_nothing(world, client_of):
    assert client_of(world, Scope.SUBSCRIBERS_WRITE)("POST", PATH, FILE, **CSV).status == 403
    assert world.fetch(f"/api{PATH}", method="POST", body=FILE).status == 401


def test_one_import_at_a_time(api, world, monkeypatch):
    began, go_on = threading.Event(), threading.Event()
    real = subscribers.import_people

    def waits(*args, **named):
        began.set()
        assert go_on.wait(20)
        return real(*args, **named)

    monkeypatch.setattr("newsletter.web.api.importing.subscribers.import_people", waits)
    told = []
    first = threading.Thread(target=lambda: told.append(api("POST", PATH, FILE, **CSV).status))
    first.start()
    assert began.wait(20)
    second = api("POST", PATH, FILE, **CSV)
    go_on.set()
    first.join()
    assert (told, second.status, second.answer.headers["retry-after"]) == ([200], 409, "30")


def test_a_server_that_stops_says_send_it_again(api, world):
    world.app.stopping.set()
    said = api("POST", PATH, FILE, **CSV)
    assert said.status == 503
    assert "again" in said.problem
