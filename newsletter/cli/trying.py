"""What `newsletter demo` does in its folder: settings and keys, articles, readers, a newsletter, all stages, the result.

Must never read the environment's settings, write outside its folder or let anything leave this machine but what fetches
the URLs asked for: the transport is always the outbox, and its readers are invented.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import as_file, files
from pathlib import Path

import subscribers
from newsletter import collect, pipeline, schedule
from newsletter.app import App
from newsletter.cli.looking import composed
from newsletter.cli.narrating import Narrator
from newsletter.cli.picturing import laid_beside
from newsletter.cli.previewing import Form, part_of
from newsletter.cli.sample import HOST, ZONE, sample_sources
from newsletter.cli.sample.server import Served
from newsletter.cli.site import newsletter_of
from newsletter.cli.sitefile import NewsletterEntry
from newsletter.cli.sources import look_at
from newsletter.cli.troubles import troubles
from newsletter.collect.discover import slug_of
from newsletter.collect.documents.files import read_file
from newsletter.compose.preflight import sample_message
from newsletter.errors import BadInput, NewsletterError
from newsletter.http import shown
from newsletter.mail.dkim import dns_record, new_key
from newsletter.model import (
    ApprovalPolicy,
    ArticleState,
    Counts,
    Issue,
    IssueState,
    Mailing,
    PictureMode,
    RawItem,
    Source,
    SourceKind,
)
from newsletter.settings import Settings, load
from newsletter.store import Connection, articles, newsletters, receipts, sources

BASE_URL = "https://newsletter.vien.example"
LIST = "ban-doc"
CONSENT = "Đã đồng ý nhận bản tin trong phiếu đăng ký (dữ liệu mẫu, người đọc không có thật)"
FEED_AGE = timedelta(days=3650)  # whoever names a feed wants to see its newest entries, however long it has been silent

SETTINGS = """\
# Settings of a demo. Nothing leaves this folder; organisation, addresses and readers are invented.
# `newsletter init` writes this file for a real newsletter; `newsletter doctor` shows every key and checks what it names.

data_dir = "data"                             # database, keys, outbox; relative to this file
base_url = "{base}"  # public pages and every link in the mail stand under it
language = "vi"                               # staff pages: vi or en
timezone = "{zone}"

[sender]
address = "bantin@vien.example"               # its domain is also that of Message-ID and DKIM
name = "{name}"
organisation = "Viện Nghiên cứu Sông Biển Vĩnh Sa"
postal_address = "12 đường Bến Cũ, phường Cửa Sóng, thành phố Vĩnh Sa"  # in the footer of every mail
bounce_domain = "tra.vien.example"            # over SMTP each return path carries the token of its delivery

[transport]
kind = "outbox"                               # every message is an .eml file in data/outbox

[dkim]
selector = "newsletter"
key_file = "data/dkim.pem"                    # made for this demo
"""

FETCH = """
[fetch]
ca_file = "sample-ca.pem"                     # root of the sample site's certificate; its key was thrown away
pace_seconds = 0                              # the sample site needs no sparing; others do: leave it at 1

[fetch.resolve]                               # the sample site: it lived only while the demo ran
"{host}" = "{endpoint}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the demo ended. Paths of `digest`: language → {html, text}."""

    folder: Path
    base_url: str
    issue: Issue
    subjects: dict[str, str]
    digest: dict[str, dict[str, str]]
    outbox: Path
    counts: Counts
    dkim: dict[str, str]
    problems: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return self.issue.state is IssueState.SENT and 0 < self.counts.frozen == self.counts.sent


# ---------------------------------------------------------------- the folder


def prepared(folder: Path, served: Served | None) -> Settings:
    """Write settings, DKIM key and, with the sample site, its root certificate. The environment changes none of it."""
    name = "Bản tin Sông Biển" if served else "Bản tin thử nghiệm"
    text = SETTINGS.format(base=BASE_URL, zone=ZONE, name=name)
    if served:
        (folder / "sample-ca.pem").write_bytes(served.authority)
        text += FETCH.format(host=HOST, endpoint=served.endpoint)
    config = folder / "newsletter.toml"
    config.write_text(text, encoding="utf-8")
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(folder / "data" / "dkim.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as key:
        key.write(new_key())
    return load(config, environ={})


# ---------------------------------------------------------------- articles, readers, newsletter


def run(app: App, folder: Path, places: Sequence[str], narrator: Narrator) -> Result:
    """Everything up to the end of the sending. Raises BadInput when there is no article at all."""
    narrator.says("prepare", f"settings, keys and database in {folder}")
    problems: list[str] = []
    used, items = sample_sources() if not places else [], list[RawItem]()
    for found in _taken(app, places):
        if isinstance(found, NewsletterError):
            problems.append(str(found))
            narrator.problem("prepare", str(found))
        elif isinstance(found, Source):
            used.append(found)
        else:
            items.append(found)
    if items:
        used.append(sources.new("bai-chon", SourceKind.MANUAL, "", name="Bài biên tập chọn"))
    if not used:
        raise BadInput("nothing could be taken from any of these places")
    _write(app, used, narrator)
    if items:
        taken = collect.take(app, used[-1], items, app.clock.now())
        narrator.says("collect", f"{taken} given by name")
    _stages(app, narrator)
    return _result(app, folder, [*problems, *(trouble.line for trouble in troubles(app))])


def _taken(app: App, places: Sequence[str]) -> Iterator[RawItem | Source | NewsletterError]:
    """Each place as an article of its own, a source, or the reason why it is neither. A file of a folder counts once."""
    folders = {Path(place).resolve() for place in places if Path(place).is_dir()}
    for number, place in enumerate(places, 1):
        path = Path(place).expanduser()
        try:
            if path.is_file():
                if path.resolve().parent not in folders:
                    yield read_file(path)
                continue
            found = look_at(app, place)
            if found.articles == 0:
                raise BadInput("it holds no article", where=place)
            slug = f"{slug_of(found.title or found.url)}-{number}"
            yield sources.new(slug, found.kind, found.url, name=found.title, max_age=FEED_AGE)
        except NewsletterError as error:
            if shown(place) not in str(error):
                error.where = shown(place) if "://" in place else place
            yield error
        except OSError as error:
            yield BadInput(error.strerror or "cannot be read", where=place)


def _write(app: App, used: Sequence[Source], narrator: Narrator) -> None:
    """List with readers, sources, newsletter, and an extra issue that is sent as soon as it is approved."""
    now, name = app.clock.now(), app.settings.sender.name
    with app.db.begin() as conn:
        subscribers.create_list(
            conn, LIST, name=f"Bạn đọc {name}", description="Mỗi tuần một số, sáng thứ Hai.", now=now
        )
    with as_file(files("subscribers") / "example.csv") as people:
        imported = subscribers.import_people(
            app.db, people, list_slug=LIST, key=app.suppression_key, now=now, consent=CONSENT
        )
    narrator.says("prepare", f"{imported.added} invented readers on the list {LIST}")
    entry = NewsletterEntry(
        slug="ban-tin",
        name=name,
        languages=("vi", "en"),
        list=LIST,
        cron="0 8 * * 1",
        timezone=app.settings.timezone,
        approval=ApprovalPolicy.AUTO,
        compose_lead_hours=0,
        images=PictureMode.EMBEDDED,  # its messages are opened from a folder, and nothing serves a hosted one
    )
    with app.db.begin() as conn:
        ids = [sources.add(conn, source, now=now) for source in used]
        newsletters.save(conn, replace(newsletter_of(entry, {}), source_ids=tuple(ids)), now=now)


def _stages(app: App, narrator: Narrator) -> None:
    for stage, _ in pipeline.STAGES:
        if stage == "open":
            _open(app)
        (done,) = pipeline.run_once(app, frozenset({stage}))
        narrator.ended(done)


def _open(app: App) -> None:
    """An issue made by hand. Raises BadInput when there is no article for it."""
    with app.db.begin() as conn:
        letter = newsletters.by_slug(conn, "ban-tin")
        assert letter is not None, "written above"
        if not articles.ready_for(conn, letter.id):
            raise BadInput("no article could be taken", hint=_why_none(conn))
        schedule.open_extra(conn, letter, now=app.clock.now())
    app.watch("open", f"{letter.name}: an extra issue, made by hand")


def _why_none(conn: Connection) -> str:
    left = [*articles.listed(conn, state=ArticleState.HELD), *articles.listed(conn, state=ArticleState.SKIPPED)]
    reasons = dict.fromkeys(article.reason for article in left if article.reason)
    return "; ".join(reasons) or "no source gave one"


# ---------------------------------------------------------------- the end


def _result(app: App, folder: Path, problems: Sequence[str]) -> Result:
    issue, mailing = composed(app, "latest")
    with app.db.read() as conn:
        counts = receipts.count(conn, mailing.id)
    if issue.state is not IssueState.SENT and issue.reason:
        problems = [*problems, f"the issue is {issue.state}: {issue.reason}"]
    settings = app.settings
    assert settings.dkim.key_file is not None, "written above"
    return Result(
        folder=folder,
        base_url=settings.base_url,
        issue=issue,
        subjects={rendering.language: rendering.subject for rendering in mailing.renderings},
        digest=_digest(app, mailing, folder),
        outbox=settings.outbox,
        counts=counts,
        dkim={
            "name": f"{settings.dkim.selector}._domainkey.{settings.sender.domain}",
            "record": dns_record(settings.dkim.key_file.read_bytes()),
        },
        problems=tuple(problems),
    )


def _digest(app: App, mailing: Mailing, folder: Path) -> dict[str, dict[str, str]]:
    """The issue as a sample reader gets it, as files, with its pictures beside them."""
    made = {}
    for rendering in mailing.renderings:
        mime = sample_message(app, mailing, rendering, now=app.clock.now())
        html = laid_beside(app, mailing, part_of(mime, Form.HTML), folder)
        paths = {form: folder / f"digest.{rendering.language}.{form}" for form in ("html", "txt")}
        paths["html"].write_bytes(html)
        paths["txt"].write_bytes(part_of(mime, Form.TEXT))
        made[rendering.language] = {"html": str(paths["html"]), "text": str(paths["txt"])}
    return made
