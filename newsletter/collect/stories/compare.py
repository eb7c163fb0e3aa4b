"""Compares each article whose text is final with those of the last days, and writes which story it tells.

Asks the database who waits, so a run killed anywhere is resumed by the next one, and a corrected article is compared again.
Must never read an older article's text: what comparing needs of it was kept when it was decided.
"""

from collections.abc import Sequence
from datetime import datetime

from newsletter.app import App
from newsletter.collect.stories.story import COPY_WITHIN, Match, Told, Window, pack, why
from newsletter.collect.stories.words import Frequencies, Words, read, weighed
from newsletter.log import get_logger
from newsletter.model import ArticleId, StoryId, StoryRule, new_id
from newsletter.store import Connection, stories
from newsletter.store.stories import Kept, Waiting

log = get_logger("collect")

BATCH = 50  # articles in one transaction: a third of a second of a writer's lock


def compare_waiting(app: App, now: datetime) -> int:
    """Decide the story of every article that waits for it; returns how many were found to tell a known one."""
    joined, done = 0, 0
    while not app.stopping.is_set():
        with app.db.begin() as conn:
            language = stories.waiting_language(conn)
            if language is None:
                break
            documents = stories.take_turn(conn, language, now=now)
            waiting = stories.waiting(conn, language, BATCH)  # asked again: another process may have had its turn
            if waiting:
                joined += _compare(conn, waiting, documents, now)
        done += len(waiting)
        app.watch("collect", "looked for articles of the same story", done)
    return joined


def _compare(conn: Connection, waiting: Sequence[Waiting], documents: int, now: datetime) -> int:
    """`waiting`: of one language."""
    language = waiting[0].language
    first, last = min(one.moment for one in waiting), max(one.moment for one in waiting)
    window = Window()
    # those that wait again, after a correction, are compared by their new words
    known = {one.article_id: one for one in waiting}
    for kept in stories.recent(conn, language, first=first - COPY_WITHIN, last=last + COPY_WITHIN):
        if kept.article_id not in known:
            window.add(_told(kept))
    joined = 0
    for one in waiting:
        words = read(one.title, _whole(one))
        if one.story_id is None:  # a corrected article is not counted twice
            stories.count(conn, language, words.terms.keys(), now=now)
            documents += 1
        joined += _decide(conn, one, words, window=window, documents=documents, now=now)
    stories.prune(conn, language, now=now, window=COPY_WITHIN)
    return joined


def _decide(conn: Connection, one: Waiting, words: Words, *, window: Window, documents: int, now: datetime) -> bool:
    seen = stories.frequencies(conn, one.language, words.terms)
    vector, runs, figures = pack(words, weighed(words.terms, Frequencies(documents=documents, of=seen), one.language))
    fresh = Kept(
        article_id=one.article_id,
        story_id=StoryId(""),
        source_id=one.source_id,
        named=one.named,
        title=one.title,
        day=one.day,
        moment=one.moment,
        vector=vector,
        runs=runs,
        figures=figures,
    )
    match = None
    if one.rule is not StoryRule.STAFF:  # what a person decided stays
        match = window.match(_told(fresh), stories.told_apart(conn, one.article_id))
    story_id, rule, reason = _verdict(conn, one, match, words)
    stories.decided(
        conn,
        one,
        story_id=story_id,
        rule=rule,
        reason=reason,
        like=match.other.article_id if match else None,
        kept=(vector, runs, figures),
        now=now,
    )
    window.add(_told(fresh, story_id))
    if match:
        log.info("same_story", article=one.article_id, like=match.other.article_id, rule=str(rule), reason=reason)
    return match is not None


def _verdict(conn: Connection, one: Waiting, match: Match | None, words: Words) -> tuple[StoryId, StoryRule, str]:
    if match is not None:
        return match.other.story_id, match.rule, why(match, words.spelt)
    if one.rule is StoryRule.STAFF and one.story_id:
        return one.story_id, StoryRule.STAFF, "told apart by staff"
    alone = one.story_id if one.rule is StoryRule.FIRST else None
    return alone or StoryId(new_id()), StoryRule.FIRST, ""


def _whole(one: Waiting) -> str:
    return one.text if one.standfirst in one.text else f"{one.standfirst}\n{one.text}"


def _told(kept: Kept, story_id: StoryId | None = None) -> Told:
    return Told(
        article_id=ArticleId(kept.article_id),
        story_id=story_id or kept.story_id,
        source_id=kept.source_id,
        named=kept.named,
        moment=kept.moment,
        day=kept.day,
        title=kept.title,
        vector=kept.vector,
        runs=kept.runs,
        figures=kept.figures,
    )
