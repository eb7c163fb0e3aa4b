"""A source read poll after poll in memory, and the invented articles it shows: what the tests of identity share.

It remembers as the rows do; `tests/collect/test_replay.py` does the same with rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from newsletter.collect.identity.choose import New, choose
from newsletter.collect.identity.keys import mistrusted
from newsletter.collect.identity.match import Candidate, entries
from newsletter.model import ArticleId, RawItem, Seen, Source, SourceId, SourceKind, SourceState

NOW = datetime.fromisoformat("2025-03-10T05:00:00+00:00")
LONG = "Đoàn khảo sát đo độ sâu ở mười hai điểm của đầm và lấy mẫu bùn tại sáu điểm, kết quả có sau hai tuần nữa. " * 5


@dataclass
class Reader:
    """`read` gives (title, outcome) of each entry, the known ones first: `new`, `held`, `skipped`, or its number."""

    kind: SourceKind = SourceKind.FEED
    at: datetime = NOW
    known: dict[str, Seen] = field(default_factory=dict)
    rows: list[Seen] = field(default_factory=list)
    last_ok_at: datetime | None = None
    reasons: list[str] = field(default_factory=list)

    def read(self, items: Sequence[RawItem], *, hours: float = 8) -> list[tuple[str, str | int]]:
        told = []
        for decision in choose(self.source(), self._found(items), self.known, now=self.at, before=len(self.rows)):
            if isinstance(decision, New):
                seen = Seen(
                    id=ArticleId(str(len(self.rows))),
                    title=decision.item.title,
                    published=decision.item.published,
                    state=decision.state,
                    first_seen_at=self.at,
                    url=decision.item.url,
                    entry_hash=decision.words,
                )
                self.rows.append(seen)
                self._remember(decision.aliases, seen)
                self.reasons.append(decision.reason or "")
                told.append((decision.item.title, str(decision.state)))
            else:
                seen = decision.article
                self._remember(decision.fresh_keys, seen)
                told.append((decision.item.title, int(seen.id)))
            self._remember([mistrusted(key) for key in decision.mistrust], seen)
        self.last_ok_at, self.at = self.at, self.at + timedelta(hours=hours)
        return told

    def outcomes(self, *items: RawItem, hours: float = 8) -> list[str | int]:
        return [outcome for _, outcome in self.read(items, hours=hours)]

    def _remember(self, keys: Sequence[str], seen: Seen) -> None:
        for key in keys:
            self.known.setdefault(key, seen)

    def _found(self, items: Sequence[RawItem]) -> tuple[Candidate, ...]:
        return entries(items, "s")

    def source(self) -> Source:
        return Source(
            id=SourceId("s"),
            slug="tin",
            kind=self.kind,
            url="https://vien.example/feed",
            name="Tin",
            language="vi",
            section=None,
            state=SourceState.ACTIVE,
            newest=50,
            first_run_done=self.last_ok_at is not None,
            last_ok_at=self.last_ok_at,
        )


TITLES = (
    "Trạm Ngữ Phong đo mực nước mới",
    "Lớp đo sâu khai giảng tại cảng cá",
    "Tàu khảo sát về bến sau mười ngày",
    "Hội thảo về rừng ngập mặn ven đầm",
    "Ba phòng thí nghiệm được sửa xong",
)


def article(n: int, *, hours: float | None = None, **more: Any) -> RawItem:
    """The n-th invented article, published n hours before the first poll unless `hours` says otherwise."""
    facts: dict[str, Any] = {
        "title": TITLES[n]
        if n < len(TITLES)
        else f"Bài riêng thứ {n} kể chuyện {'xyzuvw'[n % 6] * (n // 6 + 1)} ở đầm phá",
        "guid": f"tag:vien.example,2025:{n}",
        "url": f"https://vien.example/bai/{n}",
        "text": f"{LONG} Bài {n}.",
        "published": NOW - timedelta(hours=n + 1 if hours is None else hours),
    }
    return RawItem(**{**facts, **more})
