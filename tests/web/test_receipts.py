"""What an issue's page offers once it was sent: trying again, and a receipt to take away."""

import csv
import io
import json
import re

from newsletter.model import DeliveryState


def _set(world, address, state, **more):
    """The row of one reader as if the sending had ended so."""
    also = "".join(f", {name} = '{value}'" for name, value in more.items())
    with world.app.db.begin() as conn:
        conn.exec_driver_sql(
            f"UPDATE deliveries SET state = '{state.value}'{also} WHERE person_id = '{world.people[address]}'"
        )


def test_who_failed_and_whose_fate_is_unknown_are_sent_again_by_a_button(world):
    issue, cookie = world.send(), world.log_in()
    _set(world, "ada@reader.example", DeliveryState.UNKNOWN)
    others = [address for address in world.people if address != "ada@reader.example"]
    _set(world, others[0], DeliveryState.FAILED, reply="550 5.7.1 blocked", reply_kind="block")
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert "Gửi lại cho 1 người chưa rõ" in page
    assert "Thử gửi lại cho 1 người bị lỗi" in page
    for act in ("resend", "retry"):
        assert world.fetch(f"/staff/issues/{issue.id}/{act}", form={}, cookie=cookie).status == 303
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert re.search(r"<dt>Còn lại</dt><dd>2</dd>", page)
    world.deliver()
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert re.search(r"<dt>Đã gửi</dt><dd>3</dd>", page)
    assert "/retry" not in page
    assert "/resend" not in page


def test_the_receipt_is_taken_away_as_a_file_and_names_nobody(world):
    issue, cookie = world.send(), world.log_in()
    _set(world, "ada@reader.example", DeliveryState.FAILED, reply="=cmd|calc", reason="refused")
    found = world.fetch(f"/staff/issues/{issue.id}/receipt.csv", cookie=cookie)
    assert found.headers["content-disposition"] == f'attachment; filename="receipt-{issue.id}.csv"'
    rows = list(csv.DictReader(io.StringIO(found.text)))
    people = [row for row in rows if row["row"] == "delivery"]
    assert {row["person"] for row in people} == set(world.people.values())
    assert [row["reply"] for row in people if row["state"] == "failed"] == ["'=cmd|calc"]
    total = {row["state"]: int(row["people"]) for row in rows if row["row"] == "sum"}
    assert total == {"frozen": 3, "sent": 2, "failed": 1, "skipped": 0, "unknown": 0, "open": 0}
    told = json.loads(world.fetch(f"/staff/issues/{issue.id}/receipt.json", cookie=cookie).text)
    assert (told["sum"], told["closes"], len(told["deliveries"])) == (total, True, 3)
    assert told["content_hash"] == issue.content_hash
    assert "@" not in found.text
    assert world.fetch(f"/staff/issues/{issue.id}/receipt.csv").status in (303, 401, 403), "staff alone"
    assert world.fetch(f"/staff/issues/{issue.id}/receipt.exe", cookie=cookie).status == 404


def test_nobody_frozen_no_receipt(world):
    issue = world.compose()
    found = world.fetch(f"/staff/issues/{issue.id}/receipt.csv", cookie=world.log_in())
    assert found.status == 409
