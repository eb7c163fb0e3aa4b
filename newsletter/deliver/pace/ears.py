"""What receivers' answers say about pace: who is refused for speed, who is blocked. Heard by every sender thread, said to
the database between two chunks. Costs a dictionary entry a message; also where nothing is limited.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.app import App, Fate, Outcome, Outgoing
from newsletter.deliver.pace import brake, plan
from newsletter.log import get_logger
from newsletter.store import Connection, letters
from newsletter.store import pace as rows
from newsletter.store.pace import Group

log = get_logger("deliver")

MINUTE = timedelta(minutes=1)
MOST_GROUPS = 5_000  # remembered for each minute; a list of more domains has few people in the others
BLOCK = "block"  # ReplyKind of a refusal that is about us


class Ears:
    """One for each run. Safe between threads."""

    def __init__(self, app: App, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: monotonic seconds."""
        self._app, self._clock = app, clock
        self._lock = threading.Lock()
        self._began = clock()
        self._minute = -1
        self._pages: deque[tuple[int, dict[str, int]]] = deque(maxlen=plan.WATCHED // MINUTE)
        self._page: dict[str, int] = {}  # mail group -> accepted in this minute
        self._slow: dict[str, str] = {}  # mail group -> its words
        self._blocked: Counter[str] = Counter()
        self._words: dict[str, str] = {}  # of the latest block of each group

    def heard(self, settled: Sequence[tuple[Outgoing, Outcome]]) -> None:
        minute = int(self._clock() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._page = minute, {}
                self._pages.append((minute, self._page))
            page = self._page
            for outgoing, outcome in settled:
                group = outgoing.mail_group
                if group is None:
                    continue
                if outcome.fate is Fate.ACCEPTED:
                    if group in page:
                        page[group] += 1
                    elif len(page) < MOST_GROUPS:
                        page[group] = 1
                else:
                    self._refused(group, outcome)

    def _refused(self, group: str, outcome: Outcome) -> None:
        if outcome.fate is Fate.REJECTED and outcome.kind == BLOCK:
            self._blocked[group] += 1
            self._words[group] = outcome.reply
        elif outcome.fate is Fate.RETRY and brake.too_fast(outcome):
            self._slow.setdefault(group, outcome.reply)

    def say(self, now: datetime) -> bool:
        """Tell the database what was heard since. True when a group was slowed or stopped by it."""
        if not self._slow and not self._blocked:
            return False
        with self._lock:
            slow, self._slow = self._slow, {}
            blocked, self._blocked = self._blocked, Counter()
            measured = {group: self._measured(group) for group in slow}
            accepted = {group: self._accepted(group, now) for group in blocked}
        changed = False
        with self._app.db.begin() as conn:
            known = rows.groups(conn)
            for group, words in slow.items() if self._app.settings.pace.back_off else ():
                before = known.get(group, Group(mail_group=group))
                after = brake.slowed(before, measured[group], reply=words, now=now)
                if after is not before:
                    rows.save_group(conn, after)
                    known[group], changed = after, True
                    log.warning("group_slowed", group=group, rate=round(after.rate or 0, 3), reply=words)
            for group, number in blocked.items():
                _count(conn, group, accepted[group], number, now)
                changed |= self._judge(conn, known.get(group, Group(mail_group=group)), now)
        return changed

    def _measured(self, group: str) -> float:
        """Messages a second that this process brought the group lately. With several processes less than it got: then
        it is slowed a little more than by half."""
        pages = list(self._pages)[-2:]
        seconds = min(self._clock() - self._began, 60.0 * (len(pages) - 1) + self._clock() % 60)
        return sum(page.get(group, 0) for _, page in pages) / max(seconds, 1.0)

    def _accepted(self, group: str, now: datetime) -> list[tuple[datetime, int]]:
        """(minute, messages) not told before; told now."""
        here = int(self._clock() // 60)
        taken = [(minute, page.pop(group, 0)) for minute, page in self._pages]
        return [(_minute(now) - (here - minute) * MINUTE, number) for minute, number in taken if number]

    def _judge(self, conn: Connection, group: Group, now: datetime) -> bool:
        """Stop the group when too many of its last 15 minutes were blocked, and tell staff once."""
        since = max(_minute(now) - plan.WATCHED, group.resumed_at or datetime.min.replace(tzinfo=now.tzinfo))
        blocked = rows.counted(conn, f"blocked/{group.mail_group}", since=since)
        sent = rows.counted(conn, f"sent/{group.mail_group}", since=since)
        settings = self._app.settings.pace
        if group.is_stopped(now) or not plan.blocks(sent=sent, blocked=blocked, most=settings.stop_at):
            return False
        words = self._words.get(group.mail_group, "")
        until = now + timedelta(hours=settings.stop_hours)
        rows.save_group(conn, replace(group, stopped_at=now, stopped_until=until, reply=words[:300]))
        variables = {
            "topic": "group_stopped",
            "name": group.mail_group,
            "count": blocked,
            "lines": [words],
            "url": self._app.url("/staff/pace"),
        }
        letters.tell_staff(conn, f"stopped:{group.mail_group}:{now.isoformat()}", variables, now=now)
        log.warning("group_stopped", group=group.mail_group, blocked=blocked, sent=sent, reply=words)
        return True


def _count(conn: Connection, group: str, accepted: Sequence[tuple[datetime, int]], blocked: int, now: datetime) -> None:
    for minute, number in accepted:
        rows.count(conn, f"sent/{group}", minute, number)
    rows.count(conn, f"blocked/{group}", _minute(now), blocked)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
