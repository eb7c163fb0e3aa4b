"""Each message says its own reader's attributes, as the reader's language writes them; what is absent is nothing."""

import email
import email.policy
from dataclasses import replace

from newsletter import deliver
from newsletter.compose.personas import reader_like
from newsletter.compose.preflight import sample_message
from newsletter.mail.markers import marker
from newsletter.model import Rendering
from newsletter.store import mailings
from subscribers import declare_attribute, list_tags, set_attributes, set_language, set_time_zone, tag
from tests.conftest import NOW
from tests.deliver.conftest import outbox, rendering

KINDS = {"city": "text", "joined_year": "number", "member": "yes-no", "born": "date", "reads": "texts"}
VALUES = {"city": "Huế", "joined_year": 2019.5, "member": "yes", "born": "1990-02-05", "reads": ["biển", "đất"]}


def naming(nonce: str, language: str = "vi") -> Rendering:
    plain = rendering(nonce, language)
    fields = [*(f"attribs.{slug}" for slug in KINDS), "attribs.gone", "subscriber_timezone"]
    line = "|".join(marker(nonce, field) for field in fields)
    return replace(plain, text=f"<{line}>\n{plain.text}", html=plain.html.replace("</body>", f"<p>{line}</p></body>"))


def test_values_are_written_in_the_readers_language(make_app, frozen_mailing):
    app = make_app(transport={"kind": "outbox"})
    with app.db.begin() as conn:
        for slug, kind in KINDS.items():
            declare_attribute(conn, slug, type=kind, now=NOW)
    people = ["an@vien.example", "ben@vien.example", "chi@vien.example"]
    mailing_id = frozen_mailing(app, people, made=naming)
    with app.db.begin() as conn:
        ids = conn.exec_driver_sql("SELECT id FROM people ORDER BY address_key").scalars().all()
        for person_id in ids[:2]:
            set_attributes(conn, person_id, VALUES)
            set_time_zone(conn, person_id, "Asia/Ho_Chi_Minh")
        set_language(conn, ids[1], "en")
        conn.exec_driver_sql(f"UPDATE deliveries SET language = 'en' WHERE person_id = '{ids[1]}'")
        tag(conn, ids[2], ["VIP"])
        assert list_tags(conn) == [("VIP", 1)]
    deliver.run(app, app.clock.now())
    said = {}
    for path in outbox(app):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",)).get_content()
        said[str(message["To"]).split("<")[-1].split("@")[0]] = body.splitlines()[0]
    assert said == {
        "an": "<Huế|2019,5|có|05/02/1990|biển, đất||Asia/Ho_Chi_Minh>",
        "ben": "<Huế|2019.5|yes|5 February 1990|biển, đất||Asia/Ho_Chi_Minh>",
        "chi": "<||||||>",
    }
    with app.db.read() as conn:
        mailing = mailings.get(conn, mailing_id)
        ben = reader_like(app, conn, mailing, ids[1])
    seen = sample_message(app, mailing, mailing.renderings[1], now=NOW, to=ben)
    body = email.message_from_bytes(seen, policy=email.policy.default).get_body(("plain",)).get_content()
    assert body.splitlines()[0] == said["ben"], "a preview as this person says the same"
