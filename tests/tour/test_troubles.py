"""What goes wrong is one clear line, the rest goes on, nothing is half sent, and staff are told."""

import dataclasses
import email
import email.policy

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import pipeline
from newsletter.model import IssueState, NewsletterId, new_id
from newsletter.store import issues, letters, newsletters, staff
from tests.conftest import NOW
from tests.deliver.conftest import smtp
from tests.fakes.site import Site
from tests.fakes.smtpd import Behaviour, Sink
from tests.tour.conftest import feed

READERS = ["minh.chau@doc.example", "bao.ngoc@doc.example"]
LAN = "lan@vien.example"


@pytest.fixture
def running(make_app, tmp_path):
    """(app, sink): a site with a feed, a mail server, and a designs folder with one broken design."""
    broken = tmp_path / "designs" / "hong"
    broken.mkdir(parents=True)
    (broken / "design.toml").write_text('name = "hong"\ndescription = "A broken one."\n')
    (broken / "digest.mjml.j2").write_text("<mjml>\n<mj-body>\n{{ issue.subjekt }}\n</mj-body>\n</mjml>\n")
    (broken / "text.txt.j2").write_text("x\n")
    with Site({"/feed": ("application/rss+xml", feed())}) as site, Sink() as sink:
        app = make_app(
            transport=smtp(sink.port),
            fetch={"resolve": {"tin.vien.example": site.at}},
            designs=tmp_path / "designs",
        )
        with app.db.begin() as conn:
            lan = subscribers.ensure_person(
                conn, subscribers.parse_address(LAN), now=NOW, key=app.suppression_key, name="Lan"
            )
            staff.add(conn, lan, name="Lan", language="vi", now=NOW)
        yield app, sink


def errors(app):
    return [report.error for report in pipeline.run_once(app) if report.error]


def letters_to_lan(sink):
    found = [
        email.message_from_bytes(one.content, policy=email.policy.default) for one in sink.received if one.rcpt == LAN
    ]
    return [(message["Subject"], message.get_body(("plain",)).get_content()) for message in found]


def test_a_broken_design_fails_its_issue_with_file_and_line_and_the_others_are_sent(running, publish):
    app, sink = running
    good = publish(app, readers=READERS)
    bad = dataclasses.replace(good, id=NewsletterId(new_id()), slug="hong", name="Hỏng", design="hong")
    with app.db.begin() as conn:
        newsletters.save(conn, bad, now=NOW.replace(day=22))
    assert errors(app) == []
    with app.db.read() as conn:
        states = {issue.newsletter_id: (issue.state, issue.reason) for issue in issues.listed(conn)}
    assert states[good.id][0] is IssueState.SENT
    assert states[bad.id][0] is IssueState.FAILED
    assert "hong/digest.mjml.j2:3" in states[bad.id][1]
    assert "subjekt" in states[bad.id][1]
    assert {one.rcpt for one in sink.received} == {*READERS, LAN}
    errors(app)
    [(subject, body)] = letters_to_lan(sink)
    assert "digest.mjml.j2:3" in body
    assert subject


def test_staff_are_told_once_that_an_issue_waits(running, publish):
    from newsletter.model import ApprovalPolicy

    app, sink = running
    publish(app, readers=READERS, approval=ApprovalPolicy.MANUAL)
    for _ in range(3):
        assert errors(app) == []
    [(_subject, body)] = letters_to_lan(sink)
    with app.db.read() as conn:
        [issue] = issues.listed(conn)
    assert issue.state is IssueState.PENDING_APPROVAL
    assert f"https://news.vien.example/staff/issues/{issue.id}" in body
    assert {one.rcpt for one in sink.received} == {LAN}


def test_staff_are_told_of_deliveries_of_unknown_fate(running, publish):
    app, sink = running
    sink.behaviour = Behaviour(drop_after_data=lambda rcpt: rcpt == READERS[0])
    publish(app, readers=READERS)
    assert errors(app) == []
    assert errors(app) == []
    [(subject, body)] = letters_to_lan(sink)
    assert "1" in subject
    assert READERS[0] not in body


def test_staff_are_told_once_of_a_message_that_kills_every_sender(running, publish):
    app, sink = running
    publish(app, readers=READERS)
    before = frozenset(name for name, _ in pipeline.STAGES) - {"deliver"}
    pipeline.run_once(app, only=before)
    with app.db.begin() as conn:
        victim = subscribers.find(conn, subscribers.parse_address(READERS[0]))
        conn.execute(sa.text("UPDATE deliveries SET deaths = 5 WHERE person_id = :id"), {"id": victim})
    for _ in range(3):
        assert errors(app) == []
    [(_subject, body)] = letters_to_lan(sink)
    assert "5 senders died" in body
    assert [one.rcpt for one in sink.received if one.rcpt != LAN] == READERS[1:]


def test_a_mail_server_that_is_gone_leaves_everything_as_it_was(make_app, publish, tmp_path):
    with Sink() as gone:
        port = gone.port
    with Site({"/feed": ("application/rss+xml", feed())}) as site:
        app = make_app(transport=smtp(port), fetch={"resolve": {"tin.vien.example": site.at}})
        publish(app, readers=READERS)
        [line] = errors(app)
        assert line.startswith(f"smtp localhost:{port}: cannot connect")
        assert "\n" not in line
        with app.db.read() as conn:
            [issue] = issues.listed(conn)
            states = conn.execute(sa.text("SELECT state, tries FROM deliveries")).fetchall()
        assert issue.state is IssueState.SENDING
        assert {tuple(row) for row in states} == {("pending", 0)}
        with Sink() as back:
            again = make_app(transport=smtp(back.port), fetch={"resolve": {"tin.vien.example": site.at}})
            assert errors(again) == []
            assert back.counts() == dict.fromkeys(READERS, 1)


def test_an_impossible_schedule_does_not_stop_the_other_newsletters(running, publish):
    app, sink = running
    good = publish(app, readers=READERS)
    with app.db.begin() as conn:
        bad = dataclasses.replace(good, id=NewsletterId(new_id()), slug="a-hong", cron="0 0 31 2 *")
        newsletters.save(conn, bad, now=NOW.replace(day=22))
    assert errors(app) == []
    assert {one.rcpt for one in sink.received} == set(READERS)


def test_the_letter_and_the_page_agree_on_how_long_a_confirmation_works():
    from newsletter import compose, readers

    assert readers.CONFIRM_WITHIN.days == compose.CONFIRM_DAYS


def test_a_letter_that_cannot_be_rendered_does_not_stop_the_others(running):
    app, sink = running
    from newsletter.model import LetterKind

    with app.db.begin() as conn:
        person = subscribers.find(conn, subscribers.parse_address(LAN))
        for key, variables in (("x", {"topic": "no such topic", "name": "n", "url": "https://x.example/"}), ("y", {})):
            letters.ask(conn, LetterKind.NOTICE, person, language="vi", dedupe_key=key, now=NOW, variables=variables)
        letters.tell_staff(
            conn, "z", {"topic": "compose_failed", "name": "Số 3", "url": "https://news.vien.example/staff/"}, now=NOW
        )
    assert errors(app) == []
    assert len(letters_to_lan(sink)) == 1
    with app.db.read() as conn:
        assert len(letters.failures(conn)) == 2


def test_staff_are_told_once_of_a_source_that_keeps_failing(running, publish, clock):
    from datetime import timedelta

    app, sink = running
    publish(app, readers=[], url="http://tin.vien.example/khong-co", cron="0 8 1 1 *")
    for hours in (0, 2, 5, 10, 20):
        clock.at = NOW + timedelta(hours=hours)
        errors(app)
    [(subject, body)] = letters_to_lan(sink)
    assert "Tin Viện" in subject
    assert "404" in body
    assert "https://news.vien.example/staff/sources" in body
