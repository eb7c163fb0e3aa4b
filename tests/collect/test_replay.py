"""Ninety days of a source that changes everything it can: each article is offered exactly once, none lost, none twice.

What nobody can tell is held for a person; here the person looks at the publisher's own truth, releases or drops, and the
books must balance. `make test` replays a month, `make proof` ninety days of many publishers (REPLAY_FIRST, REPLAY_SEEDS).
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.model import Article, ArticleState, Source, SourceId, SourceKind, SourceState
from newsletter.store import Database, articles, sources
from tests.fakes.publisher import HOST, Publisher, number_in

Site = Any  # tests/collect/conftest.py

PLACE = {"feed": "/feed", "listing": "/tin-tuc", "sitemap": "/sitemap.xml"}
FIRST = int(os.environ.get("REPLAY_FIRST", "100"))
SEEDS = int(os.environ.get("REPLAY_SEEDS", "8"))  # of each kind of source: about 10 s of CPU a replay

OUTAGES = ("503", "504", "html", "empty", "no entries", "cut")
RENAMINGS = ("scheme", "host", "tracking", "ids", "path", "everything")
EVENTS = (*OUTAGES, *RENAMINGS, "alternating", "clock", "kill", "layout")
NOBODYS = -1  # an article that the publisher never wrote


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Replay:
    app: App
    site: Any
    clock: FixedClock
    publisher: Publisher
    days: int = 90
    ahead: timedelta = timedelta(0)  # how wrong the machine's clock is
    due: set[int] = field(default_factory=set)  # shown in a poll that was read and written
    first: set[int] = field(default_factory=set)  # shown in the first of them
    held: int = 0
    decided: Counter[str] = field(default_factory=Counter)
    trouble_until: int = 0
    dead: bool = False
    killed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        with self.app.db.begin() as conn:
            kind = SourceKind(self.publisher.kind)
            url = f"http://{HOST}{PLACE[self.publisher.kind]}"
            source = replace(sources.new("tin", kind, url, newest=5), id=SourceId(f"tin-{self.publisher.seed}"))
            sources.add(conn, source, now=self.clock.now())  # the lot of its pauses is drawn from its id
        true_now = self.publisher.start
        for poll in range(self.days * 3):
            self._life(true_now, poll)
            self._poll(true_now, poll)
            true_now += timedelta(hours=8, minutes=self.publisher.random.randint(-50, 50))
        self.publisher.broken, self.publisher.alternating, self.ahead = None, False, timedelta(0)
        for poll in range(self.days * 3, self.days * 3 + 8):  # a quiet end, so that what waits is read
            self._poll(true_now, poll)
            true_now += timedelta(hours=9)

    def _life(self, now: datetime, poll: int) -> None:
        """What happens at the publisher's, and to this machine, before a poll."""
        dice, publisher = self.publisher.random, self.publisher
        while dice.random() < 0.3:
            publisher.publish(now - timedelta(minutes=dice.randint(5, 400)))
        if poll < 3:
            return
        if dice.random() < 0.15:
            publisher.correct(dice.choice(publisher.articles[-12:]))
        if self.trouble_until > poll:
            return
        publisher.broken, publisher.alternating, self.ahead, publisher.style.dates = None, False, timedelta(0), True
        if dice.random() < 0.25:
            self.trouble_until = poll + dice.randint(1, 6)
            self._begin(dice.choice(EVENTS))

    def _begin(self, event: str) -> None:
        dice, publisher = self.publisher.random, self.publisher
        self.kinds[event] += 1
        if event in OUTAGES:
            publisher.broken = event
        elif event == "alternating":
            publisher.alternating = True
        elif event == "clock":
            self.ahead = -timedelta(hours=dice.choice([3, 11, 50]))
        elif event == "kill":
            self.dead = True
        elif event == "layout":
            publisher.layout += 1
        else:
            publisher.rename(event)

    def _poll(self, true_now: datetime, poll: int) -> None:
        status, body = self.publisher.answer(true_now, poll)
        pages_fail = self.publisher.random.random() < 0.03
        self.site.pages.clear()
        self.site.put(PLACE[self.publisher.kind], body)
        self.site.pages[PLACE[self.publisher.kind]].status = status
        for one in self.publisher.articles[-40:]:
            for version in (0, 1):
                self.site.put(self.publisher.path(one, version), self.publisher.page(one))
                self.site.pages[self.publisher.path(one, version)].status = 503 if pages_fail else 200
        self.clock.at = true_now + self.ahead
        asked = len(self.site.asked)
        if self.dead:
            self._killed()
        collect.read_due(
            self.app, self.clock.at
        )  # not `run`: comparing stories folds nothing, and is a third of the time
        after = self._source()
        assert after is not None
        # not before the run: a clock that was set back by two days finds a check that lies further ahead, and mends it
        silent = after.next_check_at is None or after.next_check_at > self.clock.at + timedelta(hours=49)
        assert after.state is SourceState.PAUSED or not silent, "the source fell silent"
        read = any(path == PLACE[self.publisher.kind] for path, _ in self.site.asked[asked:])
        if read and after.state is SourceState.ACTIVE:
            self.first = self.first or set(self.publisher.shown)
            if self.publisher.broken != "cut":
                self.due |= self.publisher.shown
        elif "layout" in (after.reason or ""):  # a person looks and takes the new layout
            with self.app.db.begin() as conn:
                sources.set_state(conn, after.id, SourceState.ACTIVE, now=self.clock.at)
        self._person()

    def _killed(self) -> None:
        """The process dies at the commit of what it has read; the next run starts from the rows."""
        self.dead = False

        def die(conn: sa.Connection) -> None:
            if conn.get_execution_options().get("newsletter_write"):
                raise Killed

        sa.event.listen(self.app.db.engine, "commit", die)
        try:
            collect.read_due(self.app, self.clock.at)
        except Killed:
            self.killed += 1
        finally:
            sa.event.remove(self.app.db.engine, "commit", die)

    def _source(self) -> Source | None:
        with self.app.db.read() as conn:
            return sources.by_slug(conn, "tin")

    # ------------------------------------------------------------ the person, and the books

    def rows(self) -> dict[int, list[Article]]:
        with self.app.db.read() as conn:
            found = articles.listed(conn, limit=100_000)
        by_number: dict[int, list[Article]] = {}
        for row in found:
            number = number_in(row.text, row.standfirst)
            if number is None:  # its page could not be read, or its feed was cut within it: the address tells
                number = next((one.number for one in self.publisher.articles if one.is_at(row.url)), NOBODYS)
            by_number.setdefault(number, []).append(row)
        return by_number

    def _person(self) -> None:
        """Release what was never offered, drop the rest."""
        with self.app.db.read() as conn:
            waiting = [row for row in articles.listed(conn, state=ArticleState.HELD, limit=1000) if row.doubt]
        if not waiting:
            return
        self.held += len(waiting)
        by_number = self.rows()
        for number, rows in by_number.items():
            for row in (row for row in rows if row.doubt):
                known = number in self.first or any(
                    other.state is ArticleState.NEW or (other.state is ArticleState.HELD and not other.doubt)
                    for other in by_number[number]
                )
                act, word = (articles.drop, "dropped") if known else (articles.release, "released")
                with self.app.db.begin() as conn:
                    act(conn, row.id, by="Thu Hà", now=self.clock.at)
                    by_number[number] = [found for one in rows if (found := articles.get(conn, one.id)) is not None]
                self.decided[word] += 1

    def faults(self) -> list[str]:
        """Articles lost or offered twice, against the publisher's truth."""
        by_number, told = self.rows(), []
        for number in sorted((self.due | set(by_number)) - {NOBODYS}):
            rows = by_number.get(number, [])
            offered = [row for row in rows if row.state is ArticleState.NEW]
            unread = [row for row in rows if row.state is ArticleState.HELD and not row.doubt]
            backlog = [row for row in rows if "backlog" in (row.reason or "")]
            if len(offered) > 1 or (offered and backlog):
                told.append(f"twice: {number} {[_told(row) for row in rows]}")
            if number in self.due and not offered and not unread and not backlog:
                told.append(f"lost: {number} {[_told(row) for row in rows]}")
        bogus = [row for row in by_number.get(NOBODYS, []) if row.state is ArticleState.NEW]
        return told + [f"bogus: {_told(row)}" for row in bogus]


def _told(row: Article) -> str:
    when = f"{row.published or 'undated'}, seen {row.first_seen_at:%m-%d %H:%M}"
    return f"{row.state} {row.title!r} {row.url} {when} {row.reason or ''} {row.decided or ''}"


def replayed(app: App, site: Site, clock: FixedClock, kind: str, seed: int, *, days: int = 90) -> Replay:
    clock.at = clock.at.replace(hour=1)
    replay = Replay(app=app, site=site, clock=clock, publisher=Publisher(kind, seed, clock.at), days=days)
    replay.run()
    faults = replay.faults()
    assert not faults, "\n".join(faults)
    assert replay.decided.total() == replay.held
    return replay


@pytest.fixture
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    """On SQLite, unless a test asks for Postgres."""
    database = Database(request.getfixturevalue(getattr(request, "param", "sqlite_url")))
    yield database
    database.close()


@pytest.mark.parametrize("kind", ["feed", "listing", "sitemap"])
def test_thirty_days_lose_nothing_and_offer_nothing_twice(app: App, site: Site, clock: FixedClock, kind: str) -> None:
    replay = replayed(app, site, clock, kind, seed=1, days=30)
    assert len(replay.due) > 30
    assert replay.kinds.total() > 5


@pytest.mark.parametrize("db", ["postgres_url"], indirect=True)
def test_the_same_on_postgres_for_ten_days(app: App, site: Site, clock: FixedClock) -> None:
    assert len(replayed(app, site, clock, "feed", seed=2, days=10).due) > 20


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
@pytest.mark.parametrize("kind", ["feed", "listing", "sitemap"])
def test_ninety_days_of_many_publishers(app: App, site: Site, clock: FixedClock, kind: str, seed: int) -> None:
    replay = replayed(app, site, clock, kind, seed)
    assert len(replay.due) > 60
    assert replay.kinds.total() > 12
    print(
        f"{kind} {seed}: {len(replay.due)} articles, {replay.held} held, {dict(replay.decided)}, {replay.killed} kills"
    )
