"""What signing costs beside dkimpy and beside the bare mathematics.

    python tests/benchmarks/bench_dkim.py [--rounds 9]

One process, CPU seconds, rounds taken in turn; each ratio is taken within a round, and the median of the rounds counts.
Both sides get the same finished message (header block, and a body of about 120 kB that is in canonical form, as every
compiled body is) and sign the same headers, relaxed/relaxed; first every signature of either is verified by dkimpy.
dkimpy's own default, relaxed/simple, is measured beside it. Of dkimpy's Ed25519 the curve itself comes from cryptography.
"""

import argparse
import base64
import hashlib
import random
import time
from collections.abc import Callable
from statistics import median

import dkim as peer
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from newsletter.mail.dkim import Algorithm, Signer, Signers, new_key, relaxed_body, split_headers
from tests.fakes.curve import curve, judged

SELECTOR, DOMAIN = "s1", "vien.example"
HEAD = (
    b"From: =?utf-8?b?QuG6o24gdGluIFZp4buHbg==?= <bantin@vien.example>\r\n"
    b"Message-ID: <1k2j3h4g5f6d7s8a@vien.example>\r\n"
    b"To: =?utf-8?b?xJDhu5cgVGjhu4sgTWnDqm4=?= <mien@doc.example>\r\n"
    b"Subject: =?utf-8?b?QuG6o24gdGluIHR14bqnbiBz4buRIDc6IGJhIG3GsMahaSBuaMOzbSBjw7luZw==?=\r\n"
    b" =?utf-8?b?IHRo4butIGdp4buRbmcgbMO6YQ==?=\r\n"
    b"List-Unsubscribe: <https://vien.example/u/k7m2p9q4r6s8t2v4w6x8y2z4a6b8c2d4>,\r\n <mailto:u.k7m2p9q4@tra.vien.example>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Date: Mon, 02 Mar 2026 01:00:00 +0000\r\n"
    b"List-Id: =?utf-8?b?QuG6o24gdGlu?= <tuan.vien.example>\r\n"
    b"Feedback-ID: so7:tuan:issue:vien\r\n"
    b"Precedence: bulk\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="=_5f0c1d2e3f4a5b6c7d8e9f0a"\r\n'
)


def body(octets: int) -> bytes:
    """Two parts in base64, as a compiled digest has them."""
    dice = random.Random(7)
    boundary = b"--=_5f0c1d2e3f4a5b6c7d8e9f0a"

    def part(kind: bytes, size: int) -> bytes:
        lines = base64.encodebytes(dice.randbytes(size * 3 // 4)).replace(b"\n", b"\r\n")
        return b"%s\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n" % (
            boundary,
            kind,
            lines,
        )

    return part(b"plain", octets // 12) + part(b"html", octets - octets // 12) + boundary + b"--\r\n"


BODY = body(118_000)
MESSAGE = HEAD + b"\r\n" + BODY
NAMES = [name for name, _ in split_headers(HEAD) if name not in (b"precedence",)] + [b"from"]
RSA, ED = new_key(), new_key(Algorithm.ED25519)
ED_SEED = base64.b64encode(
    serialization.load_pem_private_key(ED, None).private_bytes_raw()  # type: ignore[union-attr]
)
ONE = Signer(DOMAIN, SELECTOR, RSA)
BOTH = Signer(DOMAIN, SELECTOR, RSA, second=("s2", ED))
BARE = serialization.load_pem_private_key(RSA, None)
assert isinstance(BARE, rsa.RSAPrivateKey)


def ours() -> bytes:
    return ONE.sign(HEAD, BODY, canonical=True)


def ours_both() -> bytes:
    return BOTH.sign(HEAD, BODY, canonical=True)


def bare() -> bytes:
    """What no signer can do without: the body's hash and the key's operation."""
    return BARE.sign(hashlib.sha256(BODY).digest(), padding.PKCS1v15(), hashes.SHA256())


def of_peer(form: bytes) -> Callable[[], bytes]:
    return lambda: peer.sign(
        MESSAGE, SELECTOR.encode(), DOMAIN.encode(), RSA, canonicalize=(b"relaxed", form), include_headers=NAMES
    )


def of_peer_ed() -> bytes:
    with curve():
        return peer.sign(
            MESSAGE,
            b"s2",
            DOMAIN.encode(),
            ED_SEED,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=b"ed25519-sha256",
            include_headers=NAMES,
        )


WAYS: dict[str, tuple[Callable[[], bytes], int]] = {  # how often in a round
    "dkimpy, RSA 2048, relaxed/relaxed": (of_peer(b"relaxed"), 8),
    "dkimpy, RSA 2048, relaxed/simple (its default)": (of_peer(b"simple"), 8),
    "dkimpy, Ed25519, relaxed/relaxed": (of_peer_ed, 8),
    "bare hash and RSA operation": (bare, 200),
    "ours, RSA 2048": (ours, 200),
    "ours, RSA 2048 and Ed25519": (ours_both, 200),
}


def check() -> None:
    """Every signature that is timed is verified by dkimpy."""
    assert relaxed_body(BODY) == BODY, "the body must be canonical"
    records = Signers([BOTH]).record
    for name, (way, _) in WAYS.items():
        if way is not bare:
            assert all(judged(way() + MESSAGE, records)), name


def cpu(way: Callable[[], bytes], times: int) -> float:
    """Seconds of this process for one call."""
    begun = time.process_time()
    for _ in range(times):
        way()
    return (time.process_time() - begun) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    check()
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, (way, times) in WAYS.items():
            took[name].append(cpu(way, times))
    print(f"message of {len(MESSAGE):,} octets, {rounds} rounds\n")
    print("| way | µs CPU | dkimpy, same forms : this | share of the bare work |")
    print("|---|---|---|---|")
    first, plain = took["dkimpy, RSA 2048, relaxed/relaxed"], took["bare hash and RSA operation"]
    for name, seconds in took.items():
        ratio = median(theirs / mine for theirs, mine in zip(first, seconds, strict=True))
        share = median(least / mine for least, mine in zip(plain, seconds, strict=True))
        print(f"| {name} | {median(seconds) * 1e6:,.0f} | {ratio:.1f} × | {share:.2f} |")


if __name__ == "__main__":
    main()
