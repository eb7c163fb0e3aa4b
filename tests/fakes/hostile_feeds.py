"""Feed bodies that break readers: bombs, damage, lies. Each is built when it is asked for, because some are large.

What they try is public knowledge (entity expansion, quadratic attributes, feedparser's issue 562); the texts are ours.
"""

import gzip
import json
import random
from collections.abc import Callable

Body = Callable[[], bytes]


def item(number: int, inner: str = "") -> str:
    return (
        f"<item><title>Bản tin số {number}</title><link>http://vien.example/{number}</link><guid>g{number}</guid>"
        f"<pubDate>Mon, 23 Nov 2026 00:00:0{number % 10} GMT</pubDate>{inner}</item>"
    )


def rss(items: str, *, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'{head}<rss version="2.0" {space}><channel><title>Tin</title>{items}</channel></rss>'.encode()


def many(count: int) -> bytes:
    return rss("".join(map(item, range(count))))


def _described(text: str) -> str:
    return item(1, f"<description>{text}</description>")


def _entities() -> bytes:
    chain = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    return rss(_described("&j;"), head=f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">{chain}]>')


def _doctype(declaration: str) -> str:
    return f'<?xml version="1.0"?><!DOCTYPE x [{declaration}]>'


def _json(**value: object) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Tin", **value}).encode()


def _dates() -> bytes:
    written = (
        "Mon, 31 Feb 2026 25:61:00 GMT",
        "0000-00-00",
        "2099-12-31T00:00:00Z",
        "1704180000",
        "02/01/2026 15:30",
        "Thứ Sáu, 02/01/2026 - 15h30",
        "01-01-70",
        "",
        "9" * 400,
    )
    return rss(
        "".join(f"<item><title>Ngày {n}</title><pubDate>{day}</pubDate></item>" for n, day in enumerate(written))
    )


FEW = "".join(map(item, range(3)))
BODIES: dict[str, Body] = {
    "entities, exponential": _entities,
    "entities, quadratic": lambda: rss(_described("&a;" * 20_000), head=_doctype(f'<!ENTITY a "{"A" * 50_000}">')),
    "entity from a file": lambda: rss(_described("&x;"), head=_doctype('<!ENTITY x SYSTEM "file:///etc/hostname">')),
    "entity from the net": lambda: rss(item(1), head=_doctype('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;')),
    "60,000 tags deep": lambda: rss(_described("<b>" * 60_000 + "x" + "</b>" * 60_000)),
    "20,000 items in items": lambda: rss("<item>" * 20_000 + "</item>" * 20_000),
    "cut off": lambda: rss("".join(map(item, range(20))))[:-700],
    "bare ampersand": lambda: rss(item(1).replace("/1<", "/?a=1&b=2<") + item(2)),
    "NUL": lambda: rss(FEW.replace("Bản", "Bả\0n")),
    "control characters": lambda: rss(FEW.replace("Bản", "Bả\x08\x0bn")),
    "mark and blanks first": lambda: b"\xef\xbb\xbf\n \n" + rss(FEW),
    "warning before the XML": lambda: b"<br />\n<b>Warning</b>: x() in /srv/x on line 3<br />\n" + rss(FEW),
    "HTML instead": lambda: (
        b"<!doctype html><html><title>404</title><body><h1>404</h1><a href='/x'>x</a></body></html>"
    ),
    "login page instead": lambda: b"<!doctype html><html><body><form><input type='password'></form></body></html>",
    "empty": lambda: b"",
    "white space": lambda: b" \n ",
    "no title, no link": lambda: rss("<item><description>chỉ có chữ</description></item><item/>"),
    "one GUID for all": lambda: rss(FEW.replace("<guid>g1", "<guid>g0").replace("<guid>g2", "<guid>g0")),
    "one link for all": lambda: rss(FEW.replace("/1<", "/0<").replace("/2<", "/0<")),
    "UTF-16 declared UTF-8": lambda: rss(FEW).decode().encode("utf-16"),
    "UTF-16 without a mark": lambda: rss(FEW).decode().encode("utf-16-le"),
    "Latin-1 declared UTF-8": lambda: rss("<item><title>Café déjà vu</title></item>").decode().encode("latin-1"),
    "undeclared prefixes": lambda: rss(item(1, '<media:thumbnail url="http://vien.example/x.jpg"/>')),
    "two roots": lambda: rss(item(1)) + rss(item(2), head=""),
    "Atom within RSS": lambda: rss(item(1) + '<entry xmlns="http://www.w3.org/2005/Atom"><title>E</title></entry>'),
    "scripts": lambda: rss(_described('&lt;script&gt;x()&lt;/script&gt;&lt;a href="javascript:x()" onclick="x()"&gt;')),
    "50 MB entry": lambda: rss(_described("Một câu dài không dứt. " * 1_700_000) + item(2)),
    "50,000 entries": lambda: many(50_000),
    "100,000 attributes": lambda: rss("<item " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>"),
    "3 MB tag name": lambda: rss(f"<item><{'x' * 3_000_000}/></item>"),
    "unclosed CDATA": lambda: rss(item(1))[:-16] + b"<item><title><![CDATA[ abc </title></item>",
    "400,000 escaped brackets": lambda: rss(_described("&lt;" * 400_000)),
    "author of 32 kB": lambda: rss(item(1, f"<author>a@{'a.' * 16_000}!</author>")),
    "dates that are none": _dates,
    "JSON, wrong types": lambda: _json(items=[None, 7, {"id": None, "url": 7, "title": ["x"]}]),
    "JSON, 100,000 deep": lambda: b'{"version":"https://jsonfeed.org/version/1.1","items":' + b"[" * 100_000,
    "JSON of another kind": lambda: b'{"posts": []}',
    "random bytes": lambda: random.Random(7).randbytes(200_000),
    "gzip in the body": lambda: gzip.compress(rss(FEW)),
}
