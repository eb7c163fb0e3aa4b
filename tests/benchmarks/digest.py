"""One frozen issue for the sending benchmarks: a Vietnamese digest of 75 kB with 30 links, and invented readers.

Not a benchmark itself. Readers, links and texts are given to the peers as data, so that all senders send the same.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import subscribers
from newsletter import main as root
from newsletter.app import App, Transport
from newsletter.mail.dkim import new_key
from newsletter.mail.frames import links_of
from newsletter.mail.manifest import content_hash
from newsletter.mail.markers import fill, make_nonce
from newsletter.model import Mailing, MailingId, MailingKind, MailingState, PersonId, Rendering, new_id
from newsletter.settings import Settings
from newsletter.store import deliveries, mailings
from subscribers import audience
from tests.benchmarks import bench_build

NAMES = ("Đỗ Thị Miên", "Trần Văn Khuê", "Anna Bell", "Lê Thuỷ Tú")
FROM, LIST = "Bản tin Viện", "tin"
PER_IMPORT = 100_000


class Site(NamedTuple):
    app: App
    mailing: Mailing


def settings(
    folder: Path, *, port: int = 25, signed: bool = False, database: str | None = None, **smtp: Any
) -> Settings:
    relay = {"host": "127.0.0.1", "port": port, "security": "none", "messages_per_connection": 10**9}
    values: dict[str, Any] = {
        "data_dir": folder,
        "database_url": database,
        "base_url": "https://news.vien.example",
        "sender": {"address": "bantin@vien.example", "name": FROM, "bounce_domain": "tra.vien.example"},
        "transport": {"kind": "smtp", "smtp": relay | smtp},
        "log": {"level": "error"},
    }
    if signed:
        values["dkim"] = {"key_file": key_file(folder)}
    return Settings.model_validate(values)


def key_file(folder: Path) -> Path:
    path = folder / "dkim.pem"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(new_key())
    return path


def opened(given: Settings, transport: Transport | None = None) -> Site:
    """The site as `frozen` left it."""
    app = root.build(given, transport=transport)
    with app.db.read() as conn:
        return Site(app, mailings.get(conn, mailings.sending(conn)[0]))


def frozen(given: Settings, people: int, transport: Transport | None = None) -> Site:
    """A new site with `people` readers and an issue frozen for all of them."""
    app = root.build(given, transport=transport)
    _import(app, people)
    made = mailing(app)
    with app.db.begin() as conn:
        mailings.add(conn, made, now=app.clock.now())
        deliveries.freeze(conn, made.id, audience(conn, LIST), now=app.clock.now())
    return Site(app, made)


def mailing(app: App) -> Mailing:
    mailing_id = MailingId(new_id())
    nonce = make_nonce(app.nonce_secret, mailing_id)
    renderings = (rendering(nonce),)
    sender = f"{FROM} <{app.settings.sender.address}>"
    return Mailing(
        id=mailing_id,
        kind=MailingKind.ISSUE,
        state=MailingState.COMPOSED,
        issue_id=None,
        list_slug=LIST,
        sender_name=FROM,
        unknown_policy="hold",
        content_hash=content_hash(renderings, sender=sender, list_id=LIST),
        nonce=nonce,
        renderings=renderings,
    )


def rendering(nonce: str) -> Rendering:
    plain = bench_build.RENDERING
    html, text = (part.replace(bench_build.NONCE, nonce) for part in (plain.html, plain.text))
    return Rendering(language="vi", subject=plain.subject, preheader="", html=html, text=text)


def _import(app: App, people: int) -> None:
    """In several files, so that a million needs no more memory than a hundred thousand."""
    now = app.clock.now()
    with app.db.begin() as conn:
        subscribers.create_list(conn, LIST, name=FROM, description="", now=now)
    path = app.settings.data_dir / "people.csv"
    for start in range(0, people, PER_IMPORT):
        with path.open("w", encoding="utf-8") as file:
            file.write("email,name\n")
            for n in range(start, min(people, start + PER_IMPORT)):
                file.write(f"doc.gia{n}@thu{n % 97}.example,{NAMES[n % 4]}\n")
        subscribers.import_people(app.db, path, list_slug=LIST, key=app.suppression_key, now=now, consent="benchmark")
    path.unlink()


def for_peers(site: Site, path: Path, people: int) -> None:
    """What the peers are given: the texts with their gaps, and each reader's address, name and finished links."""
    gaps = {field: "{{" + field + "}}" for field in ("subscriber_name", "unsubscribe_url", "preferences_url")}
    made = site.mailing.renderings[0]
    text, html = (fill(part, site.mailing.nonce, gaps, html=False) for part in (made.text, made.html))
    path.write_text(
        json.dumps(
            {
                "from": [FROM, "bantin@vien.example"],
                "subject": made.subject,
                "text": text,
                "html": html,
                "readers": readers(site, people),
                "key": str(key_file(path.parent)),
            },
            ensure_ascii=False,
        ),
        encoding="utf-8",
    )


def readers(site: Site, people: int) -> list[dict[str, str]]:
    app, made = site.app, site.mailing
    with app.db.read() as conn:
        ids = [PersonId(row.person_id) for row in conn.execute(audience(conn, LIST).limit(people))]
        found = list(subscribers.envelopes(conn, LIST, ids, key=app.suppression_key))
    base = app.settings.base_url
    return [
        {"email": subscribers.reveal(one.address), "subscriber_name": one.name, "id": one.person_id}
        | links_of(base, app.keyring, made, PersonId(one.person_id))
        for one in found
        if isinstance(one, subscribers.Envelope)
    ]
