"""A publisher that does in 90 days what publishers do in years: new ids, addresses, titles, corrections, outages.

It keeps its own truth: `articles`, what each poll really `shown`, which articles it really corrected. Each article's text
carries the mark `k-0042`, which the collector knows nothing of. Everything follows from the seed.
"""

import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

HOST = "vien.example"
WINDOW = 15
WORDS = re.findall(
    r"\w+",
    "trạm tàu đầm cảng sông biển đảo rừng lớp đoàn nhóm xưởng phòng kho bến kênh đập hồ suối vịnh đo sửa xây thử mở đón chở"
    " nuôi trồng vẽ ghi lọc soi gửi nhận mới cũ sâu rộng xanh nhanh bền nhẹ sớm xa gần cao ấm lạnh đầu cuối giữa trong ngoài",
)
_MARK = re.compile(r"k-(\d{4})")


def number_in(*texts: str | None) -> int | None:
    """The number of the publisher's article that these texts come from."""
    return next((int(found[1]) for text in texts if (found := _MARK.search(text or ""))), None)


@dataclass
class Article:
    number: int
    at: datetime
    title: str
    text: str
    slug: str
    guid: int = 0  # how often its id was renewed by itself
    corrected: int = 0
    undated: bool = False

    def is_at(self, url: str | None) -> bool:
        """Whatever tracking parameters follow."""
        return url is not None and (self.slug in url or f"id={self.number + 1000}" in re.split("[?&]", url))


@dataclass
class Style:
    """How the site writes ids, addresses and dates at present."""

    scheme: str = "http"
    host: str = HOST
    path: int = 0
    guid: int = 0
    tracking: bool = False
    dates: bool = True


@dataclass
class Publisher:
    kind: str  # feed, listing, sitemap
    seed: int
    start: datetime
    articles: list[Article] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)  # in the poll being answered
    style: Style = field(default_factory=Style)
    layout: int = 0
    alternating: bool = False
    broken: str | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.excerpts = self.random.random() < 0.3
        self.guids = self.random.choice(["link", "tag", "tag", "build", "none"])
        for n in range(WINDOW + 5):
            self.publish(self.start - timedelta(hours=9 * (WINDOW + 5 - n)))

    # ------------------------------------------------------------ what happens at the publisher's

    def publish(self, at: datetime) -> Article:
        number = len(self.articles)
        comes_again = self.random.random() < 0.08
        title = "Lịch công tác tuần của Trung tâm" if comes_again else self._title()
        text = " ".join(self._sentence() for _ in range(9)) + f" Mã bài k-{number:04}."
        slug = f"n{number:04}-{'-'.join(self.random.sample(['tram', 'tau', 'dam', 'cang', 'song', 'bien'], 3))}"
        made = Article(number=number, at=at, title=title, text=text, slug=slug)
        made.undated = self.random.random() < 0.05
        self.articles.append(made)
        return made

    def _title(self) -> str:
        return " ".join(self.random.sample(WORDS, self.random.randint(5, 9))).capitalize()

    def _sentence(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(9, 16))).capitalize() + "."

    def correct(self, article: Article) -> None:
        """A word in the text, in the title, or a new headline."""
        kind = self.random.choice(["text", "title", "headline"])
        if kind == "text":
            article.text = article.text.replace(" Mã bài", f" {self._sentence()} Mã bài")
        elif kind == "title":
            article.title = f"{article.title} {self.random.choice(WORDS)}"
        else:
            article.title = self._title()
        article.corrected += 1

    def rename(self, what: str) -> None:
        """A change of everything at once."""
        if what == "scheme":
            self.style.scheme = "https" if self.style.scheme == "http" else "http"
        elif what == "host":
            self.style.host = f"www.{HOST}" if self.style.host == HOST else HOST
        elif what == "tracking":
            self.style.tracking = not self.style.tracking
        elif what == "ids":
            self.style.guid += 1
        elif what == "path" and self.kind == "feed" and self.guids == "tag":
            self.style.path += 1
            for article in self.articles[-WINDOW:]:
                article.title = f"{article.title} {self.random.choice(WORDS)}"
        elif what == "path":
            self.style.path += 1
        elif what == "everything":  # ids, addresses, titles, and no date is left: nobody can tell
            self.style.path += 1
            self.style.guid += 1
            self.style.dates = False
            for article in self.articles[-WINDOW - 5 :]:
                article.title = self._title()

    # ------------------------------------------------------------ what it answers

    def window(self) -> list[Article]:
        shown = self.articles[-WINDOW:][::-1]
        if self.random.random() < 0.2:  # some leave and come back
            shown = [one for one in shown if self.random.random() > 0.15]
        if self.random.random() < 0.2:
            self.random.shuffle(shown)
        return shown

    def path(self, article: Article, version: int = 0) -> str:
        style = self.style.path % 4
        mobile = "/m" if version else ""
        year = f"{article.at:%Y/%m}"
        return (
            mobile
            + (
                f"/bai/{article.slug}.html",
                f"/{year}/{article.slug}/",
                f"/tin-tuc?id={article.number + 1000}",
                f"/vi/news/{article.slug}-{article.number + 1000}.aspx",
            )[style]
            + (f"?v={self.style.path}" if self.style.path > 3 and style != 2 else "")
        )

    def url(self, article: Article, version: int = 0) -> str:
        url = f"{self.style.scheme}://{self.style.host}{self.path(article, version)}"
        return url + (
            ("&" if "?" in url else "?") + "utm_source=rss" if self.style.tracking and self.kind == "feed" else ""
        )

    def guid(self, article: Article, poll: int, version: int) -> str | None:
        if self.guids == "none":
            return None
        if self.guids == "link":
            return self.url(article).split("?utm")[0]
        part = poll if self.guids == "build" else self.style.guid * 10 + article.guid + 5 * version
        return f"tag:{HOST},2026:{part}:{article.number}"

    def answer(self, now: datetime, poll: int) -> tuple[int, str]:
        """(status, body) of this poll; `shown` holds the articles in it."""
        version = poll % 2 if self.alternating and self.kind == "feed" else 0
        window = self.window()
        self.shown = {one.number for one in window}
        undated = {one.number for one in window if self.random.random() < 0.1} if self.random.random() < 0.2 else set()
        if self.kind == "feed":
            body = self._feed(window, poll, version, undated)
        elif self.kind == "listing":
            body = self._listing(window, undated)
        else:
            body = self._sitemap(window, now)
        return self._spoilt(body)

    def _spoilt(self, body: str) -> tuple[int, str]:
        if self.broken is None:
            return 200, body
        if self.broken != "cut":
            self.shown = set()
        return {
            "503": (503, "later"),
            "504": (504, ""),
            "html": (200, "<!doctype html><html><body><p>Hệ thống đang bảo trì</p></body></html>"),
            "empty": (200, ""),
            "no entries": (200, re.sub(r"(?s)<item>.*</item>|<url>.*</url>|<li .*</li>", "", body)),
            "cut": (200, body[: int(len(body) * self.random.uniform(0.4, 0.99))]),
        }[self.broken]

    def _feed(self, window: list[Article], poll: int, version: int, undated: set[int]) -> str:
        repeated = [*window, window[0]] if window and self.random.random() < 0.05 else window
        entries = []
        for one in repeated:
            guid = self.guid(one, poll, version)
            dated = self.style.dates and not one.undated and one.number not in undated
            text = one.text[-150:] if self.excerpts else one.text
            entries.append(
                f"<item><title>{escape(one.title)}</title><link>{escape(self.url(one, version))}</link>"
                + (f"<guid isPermaLink='false'>{escape(guid)}</guid>" if guid else "")
                + (f"<pubDate>{format_datetime(one.at.replace(microsecond=0))}</pubDate>" if dated else "")
                + f"<description>{escape(f'<p>{text}</p><p>Lượt xem: {self.random.randint(1, 5000)}</p>')}</description></item>"
            )
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Tin</title>'
            + "".join(entries)
            + "</channel></rss>"
        )

    def _listing(self, window: list[Article], undated: set[int]) -> str:
        form = (
            "<li class='tin'><h3><a href='{url}'>{title}</a></h3> <i>{day}</i></li>",
            "<div class='muc'><div class='o'><h2><a class='ten' href='{url}'>{title}</a></h2><span>{day}</span></div></div>",
        )[self.layout % 2]
        rows = "".join(
            form.format(
                url=escape(self.url(one)),
                title=escape(one.title),
                day=f"{one.at + timedelta(hours=7):%d/%m/%Y}" if self.style.dates and one.number not in undated else "",
            )
            for one in window
        )
        menu = "<div class='nav'><a href='/gioi-thieu'>Giới thiệu</a></div>"
        return f"<html lang='vi'><head><title>Tin</title></head><body>{menu}<ul>{rows}</ul></body></html>"

    def _sitemap(self, window: list[Article], now: datetime) -> str:
        rebuilt = self.random.random() < 0.1
        rows = "".join(
            f"<url><loc>{escape(self.url(one))}</loc><lastmod>{touched:%Y-%m-%dT%H:%M:%SZ}</lastmod></url>"
            for one in window
            for touched in [(now if rebuilt else one.at + timedelta(days=one.corrected)).astimezone(UTC)]
        )
        return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'

    def page(self, article: Article) -> str:
        dated = self.style.dates and not article.undated
        day = f"<span class='date'>{article.at + timedelta(hours=7):%d/%m/%Y %H:%M}</span>" if dated else ""
        half = len(article.text) // 2
        return (
            f"<html lang='vi'><head><link rel='canonical' href='{escape(self.url(article).split('utm')[0].rstrip('?&'))}'></head>"
            f"<body><article><h1>{escape(article.title)}</h1>{day}<p>{article.text[:half]}</p><p>{article.text[half:]}</p>"
            "</article></body></html>"
        )
