"""Logging in, and choosing a password by a one-time link. An unknown address and a wrong password get the same answer."""

import math
from datetime import timedelta

from starlette.responses import Response

import subscribers
from newsletter.log import get_logger
from newsletter.store import staff
from newsletter.store.staff import Staff
from newsletter.web.staff import passwords, session
from newsletter.web.visit import Visit, problem

log = get_logger("web")

LONGEST_ADDRESS = 320


def ask(visit: Visit) -> Response:
    if session.who(visit) is not None:
        return visit.go("/staff/")
    return _form(visit)


def enter(visit: Visit) -> Response:
    with passwords.turn() as free:
        return _enter(visit) if free else _form(visit, status=429, minutes=1)


def _enter(visit: Visit) -> Response:
    typed, password = visit.form.get("address", "").strip()[:LONGEST_ADDRESS], visit.form.get("password", "")
    try:
        address = subscribers.parse_address(typed)
    except subscribers.InvalidAddress:  # names nobody, and is not worth a row
        passwords.matches(password, None)
        return _form(visit, status=401, wrong=True)
    name = subscribers.reveal(
        address
    )  # one spelling for all that mean the same address, so that the pause counts them all
    with visit.app.db.read() as conn:
        pause = staff.login_pause(conn, name, now=visit.now)
        person_id = subscribers.find(conn, address)
        member = staff.of_person(conn, person_id) if person_id is not None else None
    if pause:
        return _form(visit, status=429, minutes=max(1, math.ceil(pause / timedelta(minutes=1))))
    if not passwords.matches(password, member.password_hash if member else None) or member is None:
        with visit.app.db.begin() as conn:
            staff.login_failed(conn, name, now=visit.now)
        return _form(visit, status=401, wrong=True)
    with visit.app.db.begin() as conn:
        staff.login_succeeded(conn, name)
    log.info("staff_login", staff=member.id)
    return session.begin(visit.app, member, visit.go(safe_next(visit.asked("next"))))


def safe_next(path: str) -> str:
    """Where to go after the login: a staff page of ours, nothing else (pure)."""
    plain = path.startswith("/staff/") and not any(sign in path for sign in "\\\r\n?#") and "//" not in path
    return path if plain else "/staff/"


def _form(visit: Visit, *, status: int = 200, wrong: bool = False, minutes: int = 0) -> Response:
    return visit.page("staff/login.html", status=status, wrong=wrong, minutes=minutes)


def leave(visit: Visit) -> Response:
    """Ends the session on the server too: a copied cookie is worth nothing afterwards."""
    member = session.who(visit)
    if member is not None:
        with visit.app.db.begin() as conn:
            staff.end_sessions(conn, member.id)
    return session.end(visit.app, visit.go("/staff/login"))


# ---------------------------------------------------------------- one-time links


def ask_password(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        member = staff.check_link(conn, visit.part("secret"), now=visit.now)
    return problem(visit, 404) if member is None else _password_form(visit, member)


def choose_password(visit: Visit) -> Response:
    secret, password = visit.part("secret"), visit.form.get("password", "")
    with visit.app.db.read() as conn:
        member = staff.check_link(conn, secret, now=visit.now)
    if member is None:
        return problem(visit, 404)
    fault = passwords.fault_of(password, visit.form.get("repeated", ""))
    if fault is not None:
        return _password_form(visit, member, fault=fault)
    password_hash = passwords.hashed(password)
    with visit.app.db.begin() as conn:
        member = staff.use_link(conn, secret, password_hash, now=visit.now)
    if member is None:  # somebody used it meanwhile
        return problem(visit, 404)
    log.info("staff_password_chosen", staff=member.id)
    return session.begin(visit.app, member, visit.go("/staff/"))


def _password_form(visit: Visit, member: Staff, *, fault: str | None = None) -> Response:
    return visit.speaking(member.language).page(
        "staff/password.html",
        status=200 if fault is None else 422,
        name=member.name,
        fault=fault,
        shortest=passwords.SHORTEST,
        longest=passwords.LONGEST,
    )
