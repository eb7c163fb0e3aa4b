"""The preference centre: language, topics, a pause until a day. Every act needs the reader's own link, and can be undone.

None for a damaged or forged token, as everywhere in this package.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import subscribers
from newsletter.app import App
from newsletter.log import get_logger
from newsletter.readers import Leaving, look_at_leaving
from newsletter.store import Connection, newsletters, sources
from subscribers import Subscription, SubscriptionState

log = get_logger("readers")

LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    leaving: Leaving
    offered: tuple[str, ...]  # topics that can be chosen: the labels staff gave to the list's sources
    chosen: tuple[str, ...]  # none: everything
    paused_until: date | None  # the day the mail comes back; None: not paused, or until the reader says so
    paused: bool
    earliest: date  # a pause may end from this day
    latest: date  # to this day


def look(app: App, token: str) -> Preferences | None:
    """Read a reader's link; changes nothing. A pause whose day has come is no pause any more."""
    leaving = look_at_leaving(app, token)
    if leaving is None or leaving.mailing.list_slug is None:
        return None
    with app.db.read() as conn:
        offered = _offered(conn, leaving.mailing.list_slug)
    now, today = app.clock.now(), _today(app)
    held = leaving.subscription
    until = held.paused_until if held else None
    paused = _is_paused(held, now)
    if held is not None and held.state is SubscriptionState.PAUSED and not paused:
        leaving = replace(leaving, subscribed=True)
    return Preferences(
        leaving=leaving,
        offered=offered,
        chosen=held.topics if held else (),
        paused=paused,
        paused_until=until.astimezone(_zone(app)).date() if paused and until else None,
        earliest=today + timedelta(days=1),
        latest=today + LONGEST_PAUSE,
    )


def choose(app: App, token: str, *, language: str, topics: Iterable[str]) -> Preferences | None:
    """Set the language of the mail and the topics; only those that are offered count, none or all mean everything.

    Raises subscribers.InvalidValue for a language that is none, UnknownPerson for somebody erased meanwhile.
    """
    found = look(app, token)
    if found is None or found.leaving.mailing.list_slug is None:
        return found
    wanted = [topic for topic in found.offered if topic in set(topics)]
    with app.db.begin() as conn:
        subscribers.set_language(conn, found.leaving.person_id, language)
        if found.offered:
            chosen = [] if len(wanted) == len(found.offered) else wanted
            subscribers.choose_topics(conn, found.leaving.mailing.list_slug, found.leaving.person_id, chosen)
    return look(app, token)


def pause(app: App, token: str, day: date) -> Preferences | None:
    """No mail before `day` begins in the settings' time zone. Raises subscribers.InvalidValue outside the bounds."""
    found = look(app, token)
    if found is None or found.leaving.mailing.list_slug is None:
        return found
    if not found.earliest <= day <= found.latest:
        raise subscribers.InvalidValue("a pause ends between tomorrow and a year from now", where="until")
    until = datetime.combine(day, time(), _zone(app))
    with app.db.begin() as conn:
        list_slug, person_id = found.leaving.mailing.list_slug, found.leaving.person_id
        if subscribers.pause(conn, list_slug, person_id, until=until, now=app.clock.now()):
            log.info("paused", mailing=found.leaving.mailing.id)
    return look(app, token)


def resume(app: App, token: str) -> Preferences | None:
    found = look(app, token)
    if found is not None and found.leaving.mailing.list_slug is not None:
        with app.db.begin() as conn:
            subscribers.resume(conn, found.leaving.mailing.list_slug, found.leaving.person_id)
    return look(app, token)


def _is_paused(held: Subscription | None, now: datetime) -> bool:
    if held is None or held.state is not SubscriptionState.PAUSED:
        return False
    return held.paused_until is None or held.paused_until > now


def _offered(conn: Connection, list_slug: str) -> tuple[str, ...]:
    """As compose offers them (compose._offered), over all active newsletters of the list."""
    mine = [one for one in newsletters.listed(conn, active_only=True) if one.list_slug == list_slug]
    topics = {topic for one in mine for source in sources.of_newsletter(conn, one.id) for topic in source.topics}
    return tuple(sorted(topics))


def _zone(app: App) -> ZoneInfo:
    return ZoneInfo(app.settings.timezone)


def _today(app: App) -> date:
    return app.clock.now().astimezone(_zone(app)).date()
