"""Who is logged in: a signed cookie that holds a staff id and a session epoch, for twelve hours.

The epoch grows with every new password, so that choosing one ends all other sessions (listmonk CVE-2026-34828 was theirs
surviving it).
"""

from typing import Any
from urllib.parse import quote

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from starlette.responses import RedirectResponse, Response

from newsletter.app import App
from newsletter.clock import Clock
from newsletter.model import StaffId
from newsletter.store import staff
from newsletter.store.staff import Staff
from newsletter.web.visit import Handler, Visit

LIVES = 12 * 60 * 60  # seconds


def for_staff(handler: Handler) -> Handler:
    """The handler for somebody logged in; others are sent to the login, and back here afterwards."""

    def guarded(visit: Visit) -> Response:
        member = who(visit)
        if member is not None:
            return handler(visit.by(member))
        here = visit.request.url.path if visit.request.method != "POST" else "/staff/"
        return RedirectResponse(visit.site.pages.path(f"/staff/login?next={quote(here)}"), 303)

    return guarded


def who(visit: Visit) -> Staff | None:
    cookie = visit.request.cookies.get(cookie_name(visit.app))
    if not cookie:
        return None
    try:
        staff_id, epoch = _serializer(visit.app).loads(cookie, max_age=LIVES)
    except (BadData, TypeError, ValueError):
        return None
    with visit.app.db.read() as conn:
        member = staff.get(conn, StaffId(str(staff_id)))
    return member if member is not None and member.session_epoch == epoch else None


def begin(app: App, member: Staff, response: Response) -> Response:
    value = _serializer(app).dumps([member.id, member.session_epoch])
    response.set_cookie(cookie_name(app), str(value), max_age=LIVES, **_attributes(app))
    return response


def end(app: App, response: Response) -> Response:
    response.delete_cookie(cookie_name(app), **_attributes(app))
    return response


def cookie_name(app: App) -> str:
    """With https the name itself makes the browser insist on Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2)."""
    return "__Host-newsletter" if _is_https(app) else "newsletter"


def _attributes(app: App) -> dict[str, Any]:
    return {"path": "/", "secure": _is_https(app), "httponly": True, "samesite": "lax"}


def _is_https(app: App) -> bool:
    return app.settings.base_url.startswith("https://")


def _serializer(app: App) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        app.session_key, salt="staff-session", signer=_Signer, signer_kwargs={"clock": app.clock}
    )


class _Signer(TimestampSigner):
    """Asks our clock what time it is."""

    def __init__(self, *args: Any, clock: Clock, **more: Any) -> None:
        super().__init__(*args, **more)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())
