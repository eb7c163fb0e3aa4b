"""AWS Signature Version 4 for one POST: three hashes of known text. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, tested with the vectors AWS publishes
(aws-sig-v4-test-suite). Signs what it is given and nothing else; reads no profile, no environment, no metadata service.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str
    session_token: str = field(default="", repr=False)


def signed(keys: Keys, url: str, body: bytes, *, headers: dict[str, str], now: datetime) -> dict[str, str]:
    """`headers` with the date, the session token and the signature over them, the host, the path and the body.

    `now` is aware; AWS refuses a clock that is more than five minutes wrong. The path must need no escaping twice.
    """
    parts = urlsplit(url)
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "X-Amz-Date": stamp}
    if keys.session_token:
        sent["X-Amz-Security-Token"] = keys.session_token
    signing = {name.lower(): " ".join(value.split()) for name, value in {**sent, "Host": parts.netloc}.items()}
    names = ";".join(sorted(signing))
    lines = "".join(f"{name}:{signing[name]}\n" for name in sorted(signing))
    canonical = (
        f"POST\n{quote(parts.path or '/', safe='/-_.~')}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    )
    scope = f"{stamp[:8]}/{keys.region}/{keys.service}/aws4_request"
    told = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(_key(keys, stamp[:8]), told.encode(), hashlib.sha256).hexdigest()
    credential = f"{keys.access_key_id}/{scope}"
    return {
        **sent,
        "Authorization": f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}",
    }


def _key(keys: Keys, day: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{keys.secret_access_key}".encode()
    for word in (day, keys.region, keys.service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key
