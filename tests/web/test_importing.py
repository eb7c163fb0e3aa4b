"""Staff import a file in the browser: looked at first, imported by a button, followed, taken up again after a restart."""

import csv
import io
import re
import stat
import threading
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa
from openpyxl import Workbook

import subscribers
from newsletter.web import imports, uploads
from subscribers import SubscriptionState, counts, parse_address
from tests.web.test_people import permit

PEOPLE = (
    "Địa chỉ email;Họ tên;Ngày đăng ký;Mã nội bộ\n"
    "hoa@danh-sach.example;Hoa;2026-01-05T08:00:00Z;1\n"
    "vanphong@danh-sach.example;Văn phòng;2026-01-05T08:00:00Z;2\n"
    "khong phai dia chi;Ai;;3\n"
    "minh@doc-gia.example;Minh;2026-01-05T08:00:00Z;4\n"
).encode()
BUSY = threading.Lock()


@pytest.fixture
def cookie(world):
    permit(world)
    return world.log_in()


def send(world, cookie, content, *, name="ban-doc.csv", headers=None, **fields):
    """Post the form as a browser does (RFC 7578)."""
    fields = {"list": "ban-doc", "consent": "Phiếu giấy, cặp 12"} | fields
    parts = [
        f'--gr\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--gr\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    body = b"".join(parts) + head.encode() + content + b"\r\n--gr--\r\n"
    sent = {"Content-Type": "multipart/form-data; boundary=gr"} | (headers or {})
    return world.fetch("/staff/import", method="POST", body=body, headers=sent, cookie=cookie)


def work(world):
    return imports.run_waiting(world.app, BUSY)


def look(world, cookie, content=PEOPLE, **options):
    """Send a file and have it looked at; the path of its page."""
    answer = send(world, cookie, content, **options)
    assert answer.status == 303, answer.text
    work(world)
    return answer.headers["location"]


def page(world, path, cookie, language="en"):
    text = world.fetch(f"{path}?lang={language}", cookie=cookie).text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def active(world):
    with world.app.db.read() as conn:
        return counts(conn, "ban-doc")[SubscriptionState.ACTIVE]


def test_a_file_is_looked_at_first_and_imported_by_the_button(world, cookie):
    path = look(world, cookie)
    assert active(world) == 3, "nobody is subscribed by the look"
    told = page(world, path, cookie)
    assert "3 people would get the next issue" in told
    assert "ban-doc.csv was looked at" in page(world, "/staff/", cookie)
    assert "was looked at" not in page(world, "/staff/", world.log_in("en"))
    assert re.search(r"role address: 1 line 3: v… at d….example", told)
    assert re.search(r"Họ tên name", told)
    assert re.search(r"Địa chỉ email address", told)
    assert "not read Mã nội bộ" in told
    assert "khong phai" not in told
    assert "hoa@" not in told
    for _ in range(2):
        assert world.fetch(f"{path}/start", form={}, cookie=cookie).headers["location"] == path
    assert work(world) == 1
    assert "Imported: 2 people joined Bản tin Khoa học Biển." in page(world, path, cookie)
    assert active(world) == 5
    with world.app.db.read() as conn:
        who = subscribers.find(conn, parse_address("hoa@danh-sach.example"))
        (kept,) = subscribers.evidence(conn, who)
    assert (kept.action, kept.wording) == ("import", "Phiếu giấy, cặp 12")
    assert work(world) == 0
    assert "ban-doc.csv" in page(world, "/staff/import", cookie)


@pytest.mark.parametrize("kind", ["zip", "xlsx"])
def test_zip_and_excel_files_are_taken_too(world, cookie, kind):
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("a.csv", "email\nan@danh-sach.example\nhong\n")
            packed.writestr("b.csv", "email\nbinh@danh-sach.example\nhong\n")
    else:
        book = Workbook()
        for row in (["email", "name"], ["an@danh-sach.example", "An"], ["binh@danh-sach.example", "Bình"]):
            book.active.append(row)
        book.save(out)
    path = look(world, cookie, out.getvalue(), name=f"x.{kind}")
    assert "2 people would get the next issue" in page(world, path, cookie)
    files = world.fetch(path, cookie=cookie).text.count("/rejected-")
    assert files == (2 if kind == "zip" else 0)


def test_rejected_rows_are_a_private_file_that_goes_after_a_week(world, cookie):
    path = look(world, cookie)
    answer = world.fetch(f"{path}/rejected-1.csv", cookie=cookie)
    assert 'filename="rejected-1.csv"' in answer.headers["content-disposition"]
    header, row = csv.reader(io.StringIO(answer.text))
    assert header[:3] == ["line", "column", "reason"]
    assert row[0] == "4"
    assert row[3].startswith("khong phai dia chi")
    for wrong in ("0", "2", "x", "%2e%2e", "１"):
        assert (
            world.fetch(f"{path}/rejected-{wrong}.csv".encode("ascii", "ignore").decode(), cookie=cookie).status == 404
        )
    root = world.app.settings.data_dir / "imports"
    modes = {stat.S_IMODE(one.stat().st_mode) for one in root.rglob("*") if one.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(one.stat().st_mode) for one in (root, *root.iterdir())} == {0o700}
    world.clock.at += imports.KEPT + timedelta(minutes=1)
    cookie = world.log_in()
    work(world)
    assert list(root.iterdir()) == []
    assert world.fetch(path, cookie=cookie).status == 404


def test_the_file_itself_goes_when_it_is_through_and_by_the_button(world, cookie):
    root = world.app.settings.data_dir / "imports"
    path = look(world, cookie)
    world.fetch(f"{path}/start", form={}, cookie=cookie)
    work(world)
    assert not any(one.name == "file" for one in root.rglob("*"))
    path = look(world, cookie)
    assert world.fetch(f"{path}/discard", form={}, cookie=cookie).headers["location"] == "/staff/import"
    assert len(list(root.iterdir())) == 1
    assert world.fetch(path, cookie=cookie).status == 404
    assert list(world.app.settings.data_dir.glob("upload-*")) == []


def test_a_restart_in_the_middle_goes_on_and_counts_every_row_once(both_worlds, monkeypatch):
    world = both_worlds
    permit(world)
    cookie = world.log_in()
    rows = "email\n" + "".join(f"a{number}@danh-sach.example\n" for number in range(250)) + "hong\n"
    small = _in_batches_of(50)
    monkeypatch.setattr("newsletter.web.imports.subscribers.import_people", small)
    path = look(world, cookie, rows.encode())
    world.fetch(f"{path}/start", form={}, cookie=cookie)
    save = imports._save

    def stop_later(app, one):
        save(app, one)
        if one.rows == 100:
            app.stopping.set()

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(imports, "_save", stop_later)
        assert work(world) == 0
    assert 0 < active(world) - 3 < 250
    between = page(world, path, cookie)
    assert "It is being imported. 100 rows so far" in between
    world.app.stopping.clear()
    assert work(world) == 1
    assert active(world) == 253
    assert "Imported: 250 people joined" in page(world, path, cookie)
    one = imports.find(world.app, path.rsplit("/", 1)[1])
    assert one.report["resumed"] == 150, "what was committed before the stop was not done again"
    assert (one.report["added"], one.report["rejected"], one.rows) == (250, 1, 251)
    with world.app.db.read() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM import_marks")).scalar() == 0


def _in_batches_of(size):
    import_people = subscribers.import_people

    def batched(*args, **named):
        return import_people(*args, **named, batch=size)

    return batched


def test_progress_is_shown_without_a_script_and_asked_for_by_one(world, cookie):
    path = send(world, cookie, PEOPLE).headers["location"]
    before = world.dump()
    shown = world.fetch(path, cookie=cookie).text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in shown
    part = world.fetch(f"{path}/progress", cookie=cookie).text
    assert f'data-progress="{path}/progress"' in part
    assert "<html" not in part
    assert world.dump() == before
    assert f"{path}/start" not in shown
    world.fetch(f"{path}/start", form={}, cookie=cookie)  # too early: nothing is started
    world.fetch(f"{path}/discard", form={}, cookie=cookie)
    work(world)
    assert active(world) == 3
    assert "refresh" not in world.fetch(path, cookie=cookie).text
    assert "data-progress" not in world.fetch(f"{path}/progress", cookie=cookie).text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "không cột nào chứa địa chỉ thư"),
        (b"PK\x03\x04 broken", "tệp ZIP bị hỏng"),
        (b"\n", "tệp trống"),
    ],
)
def test_a_file_that_cannot_be_imported_says_so_and_does_not_hold_up_the_next(world, cookie, content, said):
    bad = send(world, cookie, content).headers["location"]
    good = look(world, cookie)
    assert said in page(world, bad, cookie, "vi")
    assert "would get the next issue" in page(world, good, cookie)
    assert str(world.app.settings.data_dir) not in page(world, bad, cookie)
    assert world.fetch(f"{bad}/start", form={}, cookie=cookie).headers["location"] == bad
    assert work(world) == 0


def test_a_fault_of_ours_ends_one_import_without_its_words(world, cookie, monkeypatch, capsys):
    def broken(*_args, **_named):
        raise RuntimeError("hoa@danh-sach.example")

    monkeypatch.setattr("newsletter.web.imports.subscribers.import_people", broken)
    path = look(world, cookie)
    assert "it broke on our side" in page(world, path, cookie)
    assert "hoa@" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "fields", "fault"),
    [
        (b"", {}, "file"),
        (PEOPLE, {"consent": "   "}, "consent"),
        (PEOPLE, {"list": "khong-co"}, "list"),
    ],
)
def test_a_form_that_is_not_whole_comes_back_with_the_fault_beside_its_field(world, cookie, content, fields, fault):
    answer = send(world, cookie, content, **fields)
    assert answer.status == 422
    assert f'id="fault-{fault}"' in answer.text
    assert not (world.app.settings.data_dir / "imports").exists()


def test_a_file_that_is_too_large_leaves_nothing(world, cookie, monkeypatch):
    monkeypatch.setattr(uploads, "MOST", 1000)
    answer = send(world, cookie, PEOPLE + b"x" * 70_000)
    assert answer.status == 422
    assert 'id="fault-file"' in answer.text
    assert list(world.app.settings.data_dir.glob("upload-*")) == []


def test_only_staff_who_may_see_addresses_import_and_nothing_of_others_is_read(world, cookie):
    path = look(world, cookie)
    other = world.log_in("en")
    asked = ["/staff/import", path, f"{path}/progress", f"{path}/rejected-1.csv"]
    assert [world.fetch(one, cookie=other).status for one in asked] == [404] * 4
    assert [world.fetch(one).status for one in asked] == [303] * 4
    assert send(world, other, PEOPLE).status == 404
    assert send(world, "", PEOPLE).headers["location"].startswith("/staff/login")
    for act in ("start", "discard"):
        assert world.fetch(f"{path}/{act}", form={}, cookie=other).status == 404
    foreign = send(world, cookie, PEOPLE, headers={"Origin": "https://khac.example"})
    assert foreign.status == 403
    assert len(imports.listed(world.app)) == 1
    assert "/staff/import" not in world.fetch("/staff/people", cookie=other).text
    assert "/staff/import?list=ban-doc" in world.fetch("/staff/people", cookie=cookie).text


def test_a_name_of_a_file_is_never_a_path_nor_markup(world, cookie):
    path = look(world, cookie, name="../../<b>x</b>.csv")
    shown = world.fetch(path, cookie=cookie).text
    assert "<b>" not in shown.split("<main")[1]
    names = {one.name for one in (world.app.settings.data_dir / "imports").rglob("*") if one.is_file()}
    assert names == {"file", "import.json", "rejected.csv"}
    for wrong in ("..", "%2e%2e%2f", "A" * 16, "x"):
        assert world.fetch(f"/staff/import/{wrong}", cookie=cookie).status == 404


def test_what_staff_say_of_a_file_goes_before_what_it_looks_like(world, cookie):
    path = look(
        world, cookie, b"Lien he|Ten\nhoa@danh-sach.example|Hoa\n", email="Lien he", delimiter="pipe", format="plain"
    )
    assert "1 person would get the next issue" in page(world, path, cookie)


def test_an_import_of_a_program_and_one_of_staff_take_turns(world, cookie):
    path = send(world, cookie, PEOPLE).headers["location"]
    with BUSY:
        worker = threading.Thread(target=work, args=(world,))
        worker.start()
        assert "It is being looked at" in page(world, path, cookie)
    worker.join(20)
    assert "would get the next issue" in page(world, path, cookie)
