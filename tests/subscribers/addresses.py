"""Invented texts between an ordinary address and nonsense, endlessly and always the same for one seed.

Made to meet every branch of an address's judgement: signs of every Unicode category, lengths at their limits, domains in
every form, and above all ordinary addresses with one thing changed, because there a short way goes wrong unseen.
"""

import random
import unicodedata
from collections.abc import Callable, Iterator

_GIVEN = (
    "an",
    "binh",
    "Bình",
    "Đức",
    "linh",
    "Ngọc",
    "jose",
    "josé",
    "Ольга",
    "花子",
    "معاذ",
    "x",
    "o'neil",
    "anna-lena",
)
_FAMILY = ("nguyen", "Nguyễn", "tran", "Müller", "smith", "O'Brien", "de_la_cruz", "李", "petrov", "núñez")
_ROLES = ("info", "INFO", "Sales", "postmaster", "www", "security", "Abuse", "newsletter", "support")
_DOMAINS = (
    *("gmail.com", "Gmail.COM", "yahoo.com.vn", "vien.example", "example.org", "truong.edu.vn", "ac.uk.example"),
    *("thư.example.net", "học-viện.vn", "xn--th-e0a.example.net", "XN--TH-E0A.example.net", "пример.com", "例え.jp"),
    *(
        "bücher.example",
        "faß.de",
        "ΣΙΓΜΑΣ.gr",
        "אב.com",
        "مثال.com",
        "ドメイン.テスト",
        "日本語。jp",
        "ｅｘａｍｐｌｅ.org",
    ),
    *("a.b.c.d.e.example.org", "1.2.3.example.org", "3com.com", "x--y.org", "ab--cd.org", "xn--.org", "xn--a.org"),
    *(
        "xn--zz.example.org",
        "i❤.ws",
        "straße.de",
        "1.אב.com",
        "אב1.com",
        "example.org.",
        ".example.org",
        "-a.org",
        "a-.org",
    ),
)
_SPECIAL = (
    *("localhost", "test", "a.test", "example", "invalid", "a.invalid", "local", "printer.local", "onion", "a.onion"),
    *("arpa", "1.0.0.127.in-addr.arpa", "home.arpa", "internal", "a.internal", "alt", "a.alt", "TEST", "a.LOCAL"),
    *(
        "example.c",
        "example.123",
        "123",
        "192.0.2.1",
        "[192.0.2.1]",
        "[IPv6:::1]",
        "[",
        "]",
        "example.c0m",
        "example.1a",
    ),
)
# one of nearly every category, and those that Unicode or a program treats in its own way
_SIGNS = (
    "!#$%&'*+-/=?^_`{|}~.\"(),:;<>@[]\\ \t\r\n\x00\x1f\x7f\x80\x85\u00a0\u00ad\u00b5\u00df\u0130\u0131\u017f"
    "\u0300\u0301\u0338\u0345\u034f\u037e\u03c2\u0430\u0435\u0591\u0640\u0660\u06f0\u070f\u0903\u0ba3\u0e33\u1100"
    "\u1161\u115f\u1680\u180e\u1e9e\u1fef\u2000\u200b\u200c\u200d\u200e\u2010\u2011\u2024\u2028\u2029\u202e\u2044\u2060"
    "\u2066\u20dd\u2126\u212a\u212b\u2160\u2260\u226e\u2488\u249c\u2fff\u3000\u3002\u302e\u3164\u3400\ua9c0\uac00\ud7a3"
    "\ud800\udfff\ue000\ufb01\ufdfa\ufe00\ufe0f\ufe52\ufe6b\ufeff\uff01\uff0e\uff0f\uff20\uff21\uff41\uff61\uffa0\ufffd"
    "\uffff\U0001d400\U0001f600\U0001f1fb\U000e0001\U000e0100\U0010fffd"
)
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def invented(seed: int) -> Iterator[str]:
    """Texts without blanks around them (those do not count, as `parse_address` says)."""
    rng = random.Random(seed)
    kinds: tuple[Callable[[random.Random], str], ...] = (
        *(_real, _real, _real, _changed, _changed, _changed, _changed),
        *(_long, _quoted, _domainish, _domainish, _nonsense, _anything),
    )
    while True:
        yield rng.choice(kinds)(rng).strip(" \t\r\n\f\v\u00a0\u1680\u2007\u202f\u3000\ufeff\u200b\u200c\u200d\u2060")


def _real(rng: random.Random) -> str:
    given, family, number = rng.choice(_GIVEN), rng.choice(_FAMILY), rng.randrange(2_000)
    local = rng.choice(
        (
            *(given, f"{given}.{family}", f"{family}_{given}{number}", f"{given[:1]}{family}", rng.choice(_ROLES)),
            *(f"{given}+tin{number}", f"{given}-{family}", f"{number}", f"{given}.{family}.{number}"),
        )
    )
    domain = (
        rng.choice(_DOMAINS) if rng.random() < 0.7 else f"{_label(rng)}.{rng.choice(('org', 'vn', 'com.vn', 'de'))}"
    )
    text = f"{local}@{domain}"
    return rng.choice((text, text, text, text.upper(), text.title(), unicodedata.normalize("NFD", text)))


def _changed(rng: random.Random) -> str:
    """One to three signs put in, taken out, doubled or replaced."""
    text = _real(rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(text) + 1)
        sign = rng.choice(_SIGNS) if rng.random() < 0.7 else _any_sign(rng)
        changed = (text[:at] + sign + text[at:], text[:at] + sign + text[at + 1 :], text[:at] + text[at + 1 :])
        text = rng.choice((*changed, text[:at] + text[at : at + 1] * 2 + text[at + 1 :])) or "@"
    return text


def _long(rng: random.Random) -> str:
    """About the limits: 64 octets of a local part, 63 of a label, 253 of a domain, 254 of the whole."""
    fill = rng.choice(("a", "b-c", "ễ", "thư", "x.", "ß", "９", "я"))
    local = (fill * 70)[: rng.choice((1, 10, 21, 22, 62, 63, 64, 65, 66, rng.randrange(1, 200)))]
    label = rng.choice(("d", "e", "ư", "日", "xn--th-e0a", "я"))
    labels = [(label * 70)[: rng.choice((1, 20, 57, 58, 59, 60, 61, 62, 63, 64))] for _ in range(rng.randrange(1, 6))]
    return f"{local}@{'.'.join(labels)}.{rng.choice(('org', 'vn', 'museum', 'xn--p1ai', 'рф'))}"


def _quoted(rng: random.Random) -> str:
    inside = "".join(
        rng.choice((rng.choice(_SIGNS), rng.choice(_PLAIN), '\\"', "\\\\", " ")) for _ in range(rng.randrange(8))
    )
    shape = rng.choice(
        ('"{}"@{}', '"{}@{}', '{}"@{}', 'An "{}" <an@{}>', "{} <an@{}>", "<{}@{}>", '"a"."{}"@{}', "a(x){}@{}")
    )
    return shape.format(inside, rng.choice(_DOMAINS))


def _domainish(rng: random.Random) -> str:
    shape = rng.random()
    if shape < 0.3:
        prefix = rng.choice(("", "", "a.", "b.c.", "-", "."))
        return f"{rng.choice(_GIVEN)}@{prefix}{rng.choice(_SPECIAL)}{rng.choice(('', '', '.', '..'))}"
    labels = [_label(rng) for _ in range(rng.randrange(1, 5))]
    dot = rng.choice((".", ".", ".", ".", "\u3002", "\uff0e", "\uff61", "..", "\u2024", ".-"))
    return f"{rng.choice(_GIVEN)}@{dot.join(labels)}.{rng.choice(('org', 'vn', 'ORG', 'рф', 'xn--p1ai', 'c', '1', 'o-g', ''))}"


def _label(rng: random.Random) -> str:
    signs = rng.choice(
        (_PLAIN, _PLAIN, _PLAIN + "--__", "ăâđêôơư-ab", "абвгд-", "日本ー語a", "אבגד1", "مثال٣", "αβγς", _SIGNS)
    )
    label = "".join(rng.choices(signs, k=rng.choice((1, 2, 3, 5, 8, 13))))
    return rng.choice(("", "", "", "", "xn--", "ab--", "-")) + label


def _nonsense(rng: random.Random) -> str:
    return "".join(rng.choices(_SIGNS + "@@@@..aaabbb", k=rng.randrange(1, 12)))


def _anything(rng: random.Random) -> str:
    local = "".join(_any_sign(rng) for _ in range(rng.randrange(1, 4)))
    return f"a{local}@{rng.choice((local, 'b'))}{rng.choice(_DOMAINS)}"


def _any_sign(rng: random.Random) -> str:
    return chr(
        rng.choice((rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x10000), rng.randrange(0x110000)))
    )
