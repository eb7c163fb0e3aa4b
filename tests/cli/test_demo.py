"""`newsletter demo`: from a fresh folder to delivered messages, as a process of its own, and the parts it is made of."""

import email
import email.header
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dkim
import pytest
from cryptography import x509

from newsletter import main
from newsletter.cli.demo import free_folder
from newsletter.cli.narrating import Narrator
from newsletter.cli.sample import BASE, HOST, dated, site
from newsletter.cli.sample.server import certificates, serving
from newsletter.cli.trying import prepared, run
from newsletter.errors import BadInput, SourceError
from newsletter.http import Fetcher

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # half past eight in Vietnam
READERS = (ROOT / "subscribers" / "example.csv").read_text(encoding="utf-8")
ADDRESSES = re.findall(r"[\w.]+@[\w.]+", READERS)

ARTICLE = """Hội đồng Viện họp bàn kế hoạch trồng rừng ngập mặn

Chiều ngày 02/01/2024, tại trạm Cồn Mây, Hội đồng Viện họp bàn kế hoạch trồng rừng ngập mặn ba năm tới. Cuộc họp có 18 \
thành viên, do bà Trần Ngọc Diệp, Viện trưởng, chủ trì.

Toàn cảnh cuộc họp

Theo báo cáo, năm 2023 Viện đã hoàn thành trồng 64 ha rừng, tỷ lệ cây sống đạt 87 phần trăm. Đây là mức cao nhất \
trong sáu năm qua, nhờ chọn giống tại chỗ và rào chắn bằng lưới cũ.

Hội đồng thống nhất trồng thêm 150 ha trong ba năm, trước hết ở những đoạn bờ đang xói lở mạnh. Kinh phí dự kiến là 9 tỷ \
đồng.

T.H

Các mục khác
"""


@dataclass(frozen=True)
class Run:
    """What one call of the demo said and left."""

    code: int
    out: str
    err: str
    cwd: Path

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def folder(self) -> Path:
        return self.cwd / self.json["folder"]

    @property
    def mails(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "data" / "outbox").glob("*.eml"))]


def call(cwd: Path, *words: str, **env: str) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", *words],
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        timeout=300,
        check=False,
    )
    return Run(code=done.returncode, out=done.stdout, err=done.stderr, cwd=cwd)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo without arguments, where the environment would send for real."""
    return call(tmp_path_factory.mktemp("sample"), "demo", "--json", NEWSLETTER_TRANSPORT__KIND="smtp")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo on files of one's own, some of which cannot be taken."""
    cwd = tmp_path_factory.mktemp("own")
    (cwd / "hop.txt").write_text(ARTICLE, encoding="utf-8")
    (cwd / "bai").mkdir()
    (cwd / "bai" / "hop.txt").write_text(ARTICLE.replace("trồng rừng", "nuôi nghêu"), encoding="utf-8")
    (cwd / "bai" / "rong.txt").write_text("", encoding="utf-8")
    (cwd / "so.pdf").write_bytes(b"%PDF-1.4")
    places = ("hop.txt", "bai", "bai/hop.txt", "khong-co.txt", "so.pdf", "http://127.0.0.1:9/feed.xml")
    return call(cwd, "demo", "--json", *places)


def subject_of(raw: bytes) -> str:
    """The subject by the parser of today; it must be what the old one reads."""
    modern = str(email.message_from_bytes(raw, policy=email.policy.default)["subject"])
    old = email.message_from_bytes(raw)["subject"]
    assert str(email.header.make_header(email.header.decode_header(old))) == modern
    return modern


def part(raw: bytes, kind: str) -> str:
    body = email.message_from_bytes(raw, policy=email.policy.default).get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


# ---------------------------------------------------------------- the sample site


def test_the_sample_site_becomes_a_message_for_every_reader(sample: Run) -> None:
    assert sample.code == 0, sample.err
    ledger = sample.json["ledger"]
    assert ledger["frozen"] == ledger["sent"] + ledger["failed"] + ledger["skipped"] + ledger["unknown"]
    assert ledger["frozen"] == ledger["sent"] == sample.json["messages"] == len(sample.mails) == len(ADDRESSES)
    assert sample.json["issue"]["state"] == "sent"
    assert sample.json["problems"] == []
    told = (sample.folder / "digest.vi.txt").read_text(encoding="utf-8")
    assert "Viện tổ chức Hội nghị sơ kết công tác quan trắc mùa lũ" in " ".join(
        told.split()
    )  # of a page without claims


def test_every_message_is_signed_and_its_vietnamese_subject_reads_the_same_twice(sample: Run) -> None:
    record = sample.json["dkim"]["record"].encode()
    for raw in sample.mails:
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)
    assert {subject_of(raw) for raw in sample.mails} == set(sample.json["subject"].values())
    assert sample.json["subject"]["vi"] == "Cửa sông Ngân có 12 trạm đo mới và 9 tin khác"
    assert sample.json["subject"]["en"] == "Cửa sông Ngân có 12 trạm đo mới"


def test_every_article_of_the_sample_site_is_in_the_digest_whole_ones_and_teasers(sample: Run) -> None:
    text = (sample.cwd / sample.json["digest"]["vi"]["text"]).read_text(encoding="utf-8")
    unfolded = " ".join(text.split())
    assert "10 bài mới từ 3 nguồn" in unfolded
    # a teaser's page, its standfirst; the page without a feed; the English feed
    assert "hai tháng thử nghiệm chiếc phao đo sóng làm từ lưới đánh cá cũ" in unfolded
    assert "Một trăm hai mươi giáo viên tiểu học của ba xã" in unfolded
    assert "tổ chức Hội nghị sơ kết công tác quan trắc mùa lũ, đánh giá kết quả" in unfolded
    assert "Salt water moved 41 kilometres up the Ngan River" in unfolded
    for unwanted in ("T.H", "Toàn cảnh Hội nghị", "Các mục khác", "Ảnh:", "%%"):
        assert unwanted not in unfolded
    assert text == unicodedata.normalize("NFC", text)


def test_the_digest_on_disk_shows_the_pictures_of_the_site_that_is_gone(sample: Run) -> None:
    page = (sample.cwd / sample.json["digest"]["en"]["html"]).read_text(encoding="utf-8")
    shown = re.findall(r'<img[^>]* src="([^"]+)"', page)
    assert shown
    assert all((sample.folder / path).is_file() for path in shown)


def test_the_messages_on_disk_carry_their_pictures(sample: Run) -> None:
    for raw in sample.mails:
        wanted = set(re.findall(r'<img[^>]*\ssrc="cid:([^"]+)"', part(raw, "html")))
        leaves = email.message_from_bytes(raw).walk()
        assert (
            {leaf["Content-ID"].strip("<>") for leaf in leaves if leaf.get_content_maintype() == "image"}
            == wanted
            != set()
        )


def test_the_stages_are_told_in_order_and_nobodys_address_is(sample: Run) -> None:
    stages = [line.split()[0] for line in sample.err.splitlines()]
    told = list(dict.fromkeys(stages))
    assert told == [
        *("prepare", "collect", "summarise", "open"),
        *("compose", "approve", "release", "deliver", "track", "notify"),
    ]
    assert len(ADDRESSES) >= 6
    for address in ADDRESSES:
        assert address not in sample.out + sample.err


def test_running_again_sends_nothing_and_says_in_one_line_what_is_gone(sample: Run) -> None:
    config = str(sample.folder / "newsletter.toml")
    before = len(sample.mails)
    assert call(sample.cwd, "--config", config, "source", "resume", "tin-vien").code == 0
    again = call(sample.cwd, "--config", config, "run", "--once")
    assert again.code == 0
    assert len(re.findall(r"^warning: source tin-vien: .*cannot connect", again.err, re.M)) == 1
    assert "Traceback" not in again.err
    assert len(sample.mails) == before


def test_the_commands_it_names_can_be_typed(sample: Run) -> None:
    serve, staff = sample.json["next"]
    assert serve.endswith(" serve")
    config = staff.split("--config ")[1].split()[0]
    added = call(sample.cwd, "--config", config, *staff.split(config)[1].split())
    assert added.code == 0
    assert "https://newsletter.vien.example/staff/link/" in added.out


# ---------------------------------------------------------------- files and URLs of one's own


def test_what_can_be_taken_is_sent_and_what_cannot_is_told_in_one_line_each(own: Run) -> None:
    assert own.code == 0, own.err
    assert own.json["ledger"]["sent"] == own.json["messages"] == len(ADDRESSES)
    told = [line for line in own.err.splitlines() if "left out" in line]
    assert len(told) == 3
    for place in (
        "khong-co.txt: there is no such file",
        "so.pdf: the PDF cannot be read",
        "http://127.0.0.1:9/feed.xml: ",
    ):
        assert sum(place in line for line in told) == 1
    assert len(re.findall(r"rong\.txt: the file is empty", own.err)) == 1
    assert "Traceback" not in own.err


def test_an_article_given_by_name_tells_who_met_when_and_a_result(own: Run) -> None:
    for raw in own.mails:
        text = " ".join(part(raw, "plain").split())
        assert "Hội đồng Viện họp bàn kế hoạch trồng rừng ngập mặn" in text
        assert "Chiều ngày 02/01/2024, tại trạm Cồn Mây, Hội đồng Viện họp bàn" in text
        assert "đạt 87 phần trăm" in text
        for unwanted in ("Toàn cảnh cuộc họp", "T.H", "Các mục khác"):
            assert unwanted not in text


def test_an_article_without_a_url_links_to_its_own_page_and_no_link_leaves_the_base(own: Run) -> None:
    for raw in own.mails:
        links = re.findall(r'href="([^"]+)"', part(raw, "html"))
        assert {urlsplit(link).netloc for link in links} == {"newsletter.vien.example"}
        assert len({link for link in links if urlsplit(link).path.startswith("/articles/")}) == 2


def test_the_subject_of_own_articles_survives_two_parsers(own: Run) -> None:
    assert {subject_of(raw) for raw in own.mails} == set(own.json["subject"].values())


def test_when_nothing_at_all_could_be_taken_the_demo_fails_with_one_line(tmp_path: Path) -> None:
    said = call(tmp_path, "demo", "khong-co.txt")
    assert said.code == 1
    assert said.err == "error: nothing could be taken from any of these places\n"
    assert said.out.count("khong-co.txt: there is no such file or folder") == 1


def test_a_feed_and_a_page_are_taken_by_their_urls(tmp_path: Path) -> None:
    places = [f"{BASE}/en/feed.json", f"{BASE}/thong-bao/hoi-nghi-so-ket.aspx", f"{BASE}/khong-co.html"]
    with serving(site(datetime.now(UTC)), HOST) as served:
        app = main.build(prepared(tmp_path, served))
        try:
            result = run(app, tmp_path, places, Narrator(quiet=True))
        finally:
            main.close(app)
    assert result.complete
    assert result.problems == (f"{BASE}/khong-co.html: answered 404 Not Found",)
    digest = " ".join(Path(result.digest["vi"]["text"]).read_text(encoding="utf-8").split())
    assert "4 bài mới từ 2 nguồn" in digest
    assert "Delta Notes · " in digest


# ---------------------------------------------------------------- its parts


def test_a_folder_that_is_in_use_is_never_written_to(tmp_path: Path) -> None:
    wanted = tmp_path / "demo"
    assert free_folder(wanted) == wanted
    assert free_folder(wanted) == wanted  # still empty
    (wanted / "kept").touch()
    (tmp_path / "demo-2").touch()
    assert free_folder(wanted) == tmp_path / "demo-3"


def test_dates_of_the_sample_are_counted_back_from_now() -> None:
    here = NOW.astimezone().replace(hour=12)
    assert dated("%%ngay:1%% %%day:2%%", here) == "01/03/2026 28 February 2026"
    moment = datetime.fromisoformat(dated("%%iso:3:17.20%%", here))
    assert (moment.hour, moment.minute) == (17, 20)
    assert moment.date() == (here - timedelta(days=3)).date()
    assert re.match(r"Sun, 01 Mar 2026 09:00:00 [+-]\d{4}$", dated("%%rss:1%%", here))


def test_no_page_of_the_sample_keeps_a_placeholder_or_is_dated_ahead() -> None:
    for path, (kind, body) in site(NOW).items():
        if kind.startswith("image/"):
            continue
        text = body.decode()
        assert "%%" not in text, path
        assert text == unicodedata.normalize("NFC", text), path
        assert max(re.findall(r"\b2026-\d\d-\d\d", text), default="") <= "2026-03-01", path


def test_the_sample_site_is_served_over_tls_that_only_its_own_root_vouches_for(tmp_path: Path) -> None:
    with serving({"/": ("text/plain", b"xin")}, HOST) as served:
        (tmp_path / "ca.pem").write_bytes(served.authority)
        resolve = {HOST: served.endpoint}
        trusting = Fetcher(user_agent="test", resolve=resolve, ca_file=tmp_path / "ca.pem")
        stranger = Fetcher(user_agent="test", resolve=resolve)
        try:
            with socket.create_connection(("127.0.0.1", int(served.endpoint.rpartition(":")[2]))):
                assert trusting.get(f"{BASE}/").body == b"xin"  # while another client says nothing
            with pytest.raises(SourceError, match="404"):
                trusting.get(f"{BASE}/khac")
            with pytest.raises(SourceError, match="certificate"):
                stranger.get(f"{BASE}/")
        finally:
            trusting.close()
            stranger.close()


def test_the_throw_away_certificates_end_after_seven_days() -> None:
    root, chain = certificates(HOST)
    made = [
        x509.load_pem_x509_certificate(root),
        *x509.load_pem_x509_certificates(chain[chain.index(b"-----BEGIN C") :]),
    ]
    assert len(made) == 2
    for certificate in made:
        left = certificate.not_valid_after_utc - datetime.now(UTC)
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert b"PRIVATE KEY" not in root


def test_the_demo_takes_no_settings_file(tmp_path: Path) -> None:
    said = call(tmp_path, "--config", "x.toml", "demo")
    assert said.code == 2
    assert "--config" in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_any_article_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trong").mkdir()
    app = main.build(prepared(tmp_path, None))
    try:
        with pytest.raises(BadInput, match="nothing could be taken"):
            run(app, tmp_path, [str(tmp_path / "trong")], Narrator(quiet=True))
    finally:
        main.close(app)
