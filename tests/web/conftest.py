"""An invented institute with a real database, real stages and a real server on a free port.

`world` holds an issue that waits for approval; its methods take it further through the real stages. Mail goes to an outbox.
"""

import email
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.policy import default as modern
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import sqlalchemy as sa
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.responses import Response

import subscribers
from newsletter import compose, deliver, readers, schedule, summarise, web
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.deliver.outbox import Outbox
from newsletter.main import build
from newsletter.model import (
    ApprovalPolicy,
    ArticleId,
    Issue,
    Newsletter,
    NewsletterId,
    RawItem,
    SourceKind,
    new_id,
)
from newsletter.settings import Preflight, Sender, Settings
from newsletter.store import articles, issues, newsletters, sources, staff
from newsletter.web.staff import passwords, session
from subscribers import ConsentGiven, ConsentSource, parse_address

NAMED = "news.lan"  # a name without https, as on an office network: browsers tell such a site less about a request
ARGUMENTS = [
    f"--host-resolver-rules=MAP {NAMED} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
]

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 08:00 in Hanoi
PASSWORD = "bốn mùa hoa nở ven sông"

READERS = (("ngoc@doc-gia.example", "vi"), ("minh@doc-gia.example", "vi"), ("ada@reader.example", "en"))
STAFF = (("Trần Thị Biên Tập", "bien-tap@vien.example", "vi"), ("Ed Itor", "editor@vien.example", "en"))

STORIES = [
    ("Phao đo sóng tự chế giữa vịnh Ổ Lợn báo bão sớm hơn 40 phút", date(2026, 11, 20),
     "Sáu phao do nhóm kỹ sư trẻ của Viện lắp ráp gửi độ cao sóng về bờ 10 phút một lần.\n\n"
     "Trong trận bão vừa qua, cảnh báo đến tay ngư dân sớm hơn 40 phút so với năm ngoái. Mỗi phao chỉ nặng chín cân.\n\n"
     "Nhóm đang làm thêm bốn phao cho mùa mưa tới."),
    ("Giống lúa chịu mặn cho 6,2 tấn một héc-ta ở vụ đầu tiên", date(2026, 11, 19),
     "Ba hợp tác xã ở vùng cửa sông gieo thử giống lúa mới trên 48 héc-ta.\n\n"
     "Chi phí phân bón giảm 11,4 % so với giống đang trồng. Vụ sau sẽ mở rộng sang hai huyện."),
    ("Thư viện số bổ sung báo cáo của hai mươi năm", date(2026, 11, 17),
     "Thư viện đã quét và nhận dạng chữ toàn bộ báo cáo thường niên của Viện.\n\nBạn đọc có thể tìm theo tên người và địa danh."),
    ("Wave models of the coast are open to everyone", date(2026, 11, 18),
     "The institute publishes its wave models under an open licence.\n\nAnybody may run them on a laptop in an afternoon."),
]  # fmt: skip


@dataclass(slots=True)
class World:
    app: App
    clock: FixedClock
    woken: threading.Event = field(default_factory=threading.Event)
    people: dict[str, str] = field(default_factory=dict)  # address -> person id
    staff: dict[str, str] = field(default_factory=dict)  # language -> address
    url: str = ""

    # ------------------------------------------------------------ stages

    def compose(self) -> Issue:
        """The issue of the next send moment, composed; it waits for a person."""
        schedule.open_due(self.app, self.clock.now())
        compose.run(self.app, self.clock.now())
        return self.issue()

    def approve(self) -> Issue:
        issue = self.issue()
        assert issue.content_hash is not None
        with self.app.db.begin() as conn:
            issues.approve(conn, issue.id, issue.content_hash, by="test", now=self.clock.now())
        return self.issue()

    def release(self) -> Issue:
        self.clock.at = max(self.clock.at, NOW)
        schedule.release_due(self.app, self.clock.now())
        return self.issue()

    def send(self) -> Issue:
        """Everything up to the outbox."""
        self.compose()
        self.approve()
        self.release()
        self.deliver()
        return self.issue()

    def deliver(self) -> None:
        compose.compose_letters(self.app, self.clock.now())
        deliver.run(self.app, self.clock.now())

    # ------------------------------------------------------------ looking

    def issue(self) -> Issue:
        with self.app.db.read() as conn:
            return issues.listed(conn, limit=1)[0]

    def article(self, title: str) -> ArticleId:
        with self.app.db.read() as conn:
            return next(one.id for one in articles.listed(conn) if one.title.startswith(title))

    def mails(self) -> list[email.message.EmailMessage]:
        files = sorted(self.app.settings.outbox.glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=modern) for file in files]  # type: ignore[misc]

    def mail_to(self, address: str, subject: str = "") -> "email.message.EmailMessage":
        return next(m for m in self.mails() if address in str(m["To"]) and subject in str(m["Subject"]))

    def link(self, mail: "email.message.EmailMessage", kind: str) -> str:
        """The path of the first link of a kind (u, p, c) in the text part."""
        part = mail.get_body(("plain",))
        assert part is not None
        found = re.search(rf"https?://[^\s/]+(/{kind}/\w+)", part.get_content())
        assert found is not None, f"no /{kind}/ link in {part.get_content()}"
        return found[1]

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table: to show that nothing changed."""
        inspector = sa.inspect(self.app.db.engine)
        with self.app.db.read() as conn:
            return {
                name: sorted((tuple(row) for row in conn.exec_driver_sql(f'SELECT * FROM "{name}"')), key=repr)
                for name in inspector.get_table_names()
            }

    # ------------------------------------------------------------ the browser's part

    def fetch(
        self,
        path: str,
        *,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        cookie: str = "",
        body: bytes | None = None,
    ) -> "Answer":
        """One request, no redirect followed."""
        parts = urlsplit(self.url)
        sent = dict(headers or {})
        if form is not None:
            body, method = urlencode(form).encode(), "POST"
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if cookie:
            sent["Cookie"] = cookie
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def log_in(self, language: str = "vi") -> str:
        """The session cookie of a staff member, without the tenth of a second that a password takes."""
        with self.app.db.read() as conn:
            member = next(one for one in staff.listed(conn) if one.language == language)
        return session.begin(self.app, member, Response()).headers["set-cookie"].split(";")[0]


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


# ---------------------------------------------------------------- making it


def make_world(database_url: str, folder: Path, *, base_url: str) -> World:
    clock = FixedClock(NOW - timedelta(hours=20))
    settings = Settings(
        data_dir=folder / "data",
        designs=folder / "designs",
        base_url=base_url,
        database_url=database_url,
        preflight=Preflight(links=False),  # invented names would be asked for
        sender=Sender(
            address="ban-tin@vien.example", name="Bản tin Viện Biển", organisation="Viện Nghiên cứu Biển và Đất",
            postal_address="3 phố Ví Dụ, Hà Nội",
        ),
    )  # fmt: skip
    world = World(build(settings, clock=clock, transport=Outbox(settings.outbox)), clock)
    fill(world)
    return world


def fill(world: World) -> None:
    app, now = world.app, world.clock.now()
    with app.db.begin() as conn:
        subscribers.create_list(conn, "ban-doc", name="Bản tin Khoa học Biển", now=now)
        for address, language in READERS:
            joined = subscribers.subscribe(
                conn, "ban-doc", parse_address(address), now=now, key=app.suppression_key,
                consent=ConsentGiven(form="test/1", wording="Yes", language=language, source=ConsentSource.FORM),
                language=language, name=address.split("@")[0].title(), confirmed=True,
            )  # fmt: skip
            world.people[address] = str(joined.person_id)
        for name, address, language in (
            ("Trần Thị Biên Tập", "bien-tap@vien.example", "vi"),
            ("Ed Itor", "editor@vien.example", "en"),
        ):
            _employ(world, conn, name, address, language)
        source = sources.new("van-phong", SourceKind.MANUAL, "", name="Văn phòng Viện", language="vi")
        sources.add(conn, source, now=now)
        for number, (title, day, text) in enumerate(STORIES):
            url = f"https://vien.example/tin/{number}" if number else None  # the first one has its page with us
            item = RawItem(title=title, url=url, text=text, authors=("Lê Văn Sóng",), published=day,
                           provenance={"title": "first line", "published": "lead"})  # fmt: skip
            language = "en" if title.startswith("Wave") else "vi"
            articles.add(conn, source, item, keys=[f"t:{number}"], now=now, language=language, named=True)
        newsletters.save(conn, _newsletter((source.id,)), now=now - timedelta(days=1))
    summarise.run(app, now)


def _employ(world: World, conn: sa.Connection, name: str, address: str, language: str) -> None:
    now = world.clock.now()
    person_id = subscribers.ensure_person(conn, parse_address(address), now=now, key=world.app.suppression_key)
    staff_id = staff.add(conn, person_id, name=name, language=language, now=now)
    staff.use_link(conn, staff.make_link(conn, staff_id, now=now), _hash(), now=now)
    world.staff[language] = address


_hashes: list[str] = []


def _hash() -> str:
    if not _hashes:
        _hashes.append(passwords.hashed(PASSWORD))
    return _hashes[0]


def _newsletter(source_ids: tuple[object, ...]) -> Newsletter:
    return Newsletter(
        id=NewsletterId(new_id()), slug="ban-tin", name="Bản tin Khoa học Biển", language="vi", languages=("vi", "en"),
        design="bulletin", options={}, list_slug="ban-doc", cron="0 8 * * 1", timezone="Asia/Ho_Chi_Minh",
        approval=ApprovalPolicy.MANUAL, compose_lead=timedelta(hours=24), latest_start=timedelta(hours=12), max_items=3,
        unknown_policy="hold", active=True, source_ids=source_ids,  # type: ignore[arg-type]
    )  # fmt: skip


# ---------------------------------------------------------------- serving it


class Served:
    """The web application on a real server, in a thread."""

    def __init__(self, app_of: Callable[[str], World]) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.world = app_of(url)
        self.world.url = url
        config = uvicorn.Config(web.make(self.world.app, wake=self.world.woken.set), lifespan="off", log_config=None)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> World:
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)
        return self.world

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        self.socket.close()
        self.world.app.fetcher.close()
        self.world.app.db.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """Served on SQLite."""
    with Served(lambda url: make_world(sqlite_url, tmp_path, base_url=url)) as made:
        yield made


@pytest.fixture
def both_worlds(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Served on SQLite, then on Postgres."""
    with Served(lambda url: make_world(database_url, tmp_path, base_url=url)) as made:
        yield made


@pytest.fixture
def behind_proxy(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """As an installation under https and a path of its own sees it, behind a proxy that strips nothing."""
    with Served(lambda _url: make_world(sqlite_url, tmp_path, base_url="https://vien.example/ban-tin")) as made:
        yield made


@pytest.fixture
def invited(world: World) -> str:
    """The path of a confirmation link that was mailed to a stranger."""
    consent = ConsentGiven(form="test/1", wording="Yes", language="vi", source=ConsentSource.FORM)
    readers.join(world.app, "ban-doc", parse_address("moi@doc-gia.example"), consent=consent, language="vi")
    world.deliver()
    return world.link(world.mail_to("moi@doc-gia.example"), "c")
