"""What of a finished issue only the network can tell: are its links and pictures there, and how heavy are the pictures?

Every address is asked once, through the guarded client, without a reader's token: addresses of our own (unsubscribe,
preferences, the issue on the web) are never called, so no look counts as an opening or leaves a list.
"""

import base64
import html as html_module
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.app import App
from newsletter.errors import SourceError
from newsletter.http.looks import ONE, PICTURES, Look, Verdict
from newsletter.mail.cascade import tree_of
from newsletter.mail.check_look import heavy
from newsletter.mail.findings import finding_of
from newsletter.mail.inspected import ERROR, NOTE, WARNING, Fault, Value, cut, fault
from newsletter.model import Finding, Item, Mailing

PICTURE_BYTES = 4 << 20  # read of one picture at most
_MOST_INSIDE = 40  # pictures that are fetched for one image of the mail
_TOLD = 5  # findings of one kind that are told one by one


def findings_online(app: App, mailing: Mailing, items: Sequence[Item], *, now: datetime) -> list[Finding]:
    """What is wrong with the links and pictures of all renderings; [] when all are there, or nobody is to be asked."""
    wanted = app.settings.preflight
    if not wanted.links:
        return []
    pages, pictures = addresses([rendering.html for rendering in mailing.renderings], own=app.settings.base_url)
    looked = app.looks.at(app.fetcher, pages, now=now, seconds=wanted.seconds)
    shown = app.looks.at(app.fetcher, pictures, now=now, seconds=wanted.seconds, picture_bytes=PICTURE_BYTES)
    faults = [*about_links(looked, titles(items)), *about_pictures(shown, titles(items))]
    return [finding_of("X11 links", fault) for fault in faults]


def addresses(documents: Iterable[str], *, own: str) -> tuple[list[str], list[str]]:
    """The web addresses of links and of pictures in some HTML documents, without those under `own` (pure)."""
    pages: dict[str, None] = {}
    pictures: dict[str, None] = {}
    for html in documents:
        page = tree_of(html)
        if page is None:
            continue
        pages |= dict.fromkeys(url for url in map(str, page.xpath("//a/@href")) if _foreign(url, own))
        pictures |= dict.fromkeys(url for url in map(str, page.xpath("//img/@src")) if _foreign(url, own))
    return list(pages), list(pictures)


def _foreign(url: str, own: str) -> bool:
    return url.lower().startswith(("http://", "https://")) and url != own and not url.startswith((f"{own}/", f"{own}?"))


def titles(items: Sequence[Item]) -> Mapping[str, str]:
    """Whose address or picture it is: address → title (pure)."""
    reports = {report.url: item.title for item in items for report in item.also}
    return reports | {item.image: item.title for item in items if item.image} | {item.url: item.title for item in items}


def about_links(looked: Mapping[str, Look], titles: Mapping[str, str]) -> list[Fault]:
    """The faults of links (pure). Only what is certainly gone is an error: sites turn programs away, networks fail."""
    unreached = [url for url, look in looked.items() if look.verdict is Verdict.UNREACHABLE]
    if len(unreached) > 1 and len(unreached) == len(looked):
        return [
            fault(WARNING, "links", "none of the {n} links can be reached from here; try them by hand", n=len(looked))
        ]
    faults = [found for url, look in looked.items() if (found := _about_link(url, look, titles.get(url, "")))]
    late = sum(look.verdict is Verdict.NOT_ASKED for look in looked.values())
    if late:
        faults.append(fault(NOTE, "links", "{n} links were not looked at, the time was up; check again", n=late))
    return faults


def _about_link(url: str, look: Look, title: str) -> Fault | None:
    told: dict[str, Value] = {"title": cut(title or url, 80), "url": cut(url, 120)}
    if look.verdict is Verdict.GONE:
        told["status"] = str(look.status)
        return fault(
            ERROR, "links", "“{title}” is gone: {url} answers {status}; correct the link or drop the article", **told
        )
    if look.verdict is Verdict.FORBIDDEN:
        return fault(ERROR, "links", "“{title}” leads where nobody should go: {url}; correct the link", **told)
    if look.verdict is Verdict.REFUSED:
        told["status"] = str(look.status)
        return fault(NOTE, "links", "{url} turns programs away ({status}); open “{title}” once by hand", **told)
    if look.verdict is Verdict.FAILING:
        told["why"] = look.why
        return fault(
            WARNING, "links", "{url} does not answer well ({why}); look at “{title}” again before sending", **told
        )
    if look.verdict is Verdict.UNREACHABLE:
        told["why"] = look.why
        return fault(
            WARNING, "links", "{url} cannot be reached ({why}); look at “{title}” again before sending", **told
        )
    if look.verdict is Verdict.THERE and _led_home(url, look.url):
        return fault(WARNING, "links", "“{title}” is led on to a front page: {url}; the article may be gone", **told)
    return None


def _led_home(url: str, final: str) -> bool:
    """Whether a page was asked for and the site answers with its front page instead, as many do for what is gone."""
    asked, got = urlsplit(url), urlsplit(final)
    return asked.path.rstrip("/").count("/") >= 1 and got.path in ("", "/") and not got.query


def about_pictures(looked: Mapping[str, Look], titles: Mapping[str, str]) -> list[Fault]:
    """The faults of pictures on the web (pure)."""
    missing = [url for url, look in looked.items() if look.verdict in (Verdict.GONE, Verdict.FORBIDDEN)]
    faults = [
        fault(WARNING, "pictures", "the picture of “{title}” is not there: {url}; choose another or none",
              title=cut(titles.get(url, url), 80), url=cut(url, 120))
        for url in missing[:_TOLD]
    ]  # fmt: skip
    there = {url: look for url, look in looked.items() if look.verdict is Verdict.THERE}
    for url in [url for url, look in there.items() if not look.media_type.startswith("image/")][:_TOLD]:
        told: dict[str, Value] = {"title": cut(titles.get(url, url), 80), "kind": there[url].media_type or "?"}
        faults.append(
            fault(WARNING, "pictures", "the picture of “{title}” is no picture but {kind}; choose another", **told)
        )
    return [*faults, *heavy("pictures", [look.size for look in there.values()])]


def with_pictures_inside(app: App, html: str) -> str:
    """The document with the pictures of the web put into it, for who may not fetch them; what cannot be had stays away."""
    _pages, pictures = addresses([html], own="")
    for url in pictures[:_MOST_INSIDE]:
        try:
            got = app.fetcher.look(url, max_body=PICTURE_BYTES, within=ONE, accept=PICTURES)
        except SourceError:
            continue  # then its words are shown, as in a mail program that does not get it
        if got.content_type.startswith("image/"):
            inside = f"data:{got.content_type};base64,{base64.b64encode(got.body).decode()}"
            html = html.replace(html_module.escape(url), inside)
    return html
