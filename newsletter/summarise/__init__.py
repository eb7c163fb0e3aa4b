"""The summarise stage: articles `new` become `ready` with a summary that passed the guard, or `held` with the reason.

It must never invent a fact, break a sentence or drop a diacritic. The modules beside this one are pure: `choice` decides,
with `clean` → `sentences` → `rank` → `extract` for the words and `guard` for the truth; only `run` touches rows.
"""

from datetime import datetime

from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import Article, ArticleId, ArticleState, Summary, SummaryOrigin
from newsletter.store import articles
from newsletter.summarise.choice import judge_edit, summarise

log = get_logger("summarise")


def run(app: App, now: datetime) -> int:
    """Summarise every article that waits; returns how many moved on. Run twice it does nothing the second time."""
    moved, seen = 0, set[ArticleId]()
    while True:
        with app.db.read() as conn:
            waiting = [article for article in articles.new(conn) if article.id not in seen]
        if not waiting:
            return moved
        for at, article in enumerate(waiting, 1):
            seen.add(article.id)
            moved += _settle(app, article, now)
            app.watch("summarise", article.title, at, len(waiting))


def decide(article: Article) -> Summary | str:
    """The article's summary, or the reason why a person must look at it.

    An edit by staff is kept when the article is collected again, as long as the corrected article still supports it.
    """
    edit = article.summary if article.summary and article.summary.origin is SummaryOrigin.HUMAN else None
    if edit is not None:
        made = judge_edit(
            edit, title=article.title, standfirst=article.standfirst, text=article.text, language=article.language
        )
        return made if made.guard.ok else f"the edited summary no longer fits: {'; '.join(made.guard.reasons)}"
    found = summarise(title=article.title, text=article.text, standfirst=article.standfirst, language=article.language)
    if found is None:
        return "no whole sentence to summarise it with" if article.text.strip() else "it has no text"
    return found if found.guard.ok else f"the guard refused its summary: {'; '.join(found.guard.reasons)}"


def _settle(app: App, article: Article, now: datetime) -> int:
    """Write what was decided, unless the article changed meanwhile: then it is still `new` and the next run takes it."""
    try:
        verdict = decide(article)
    except Exception as error:  # a fault of ours in one text must not stop the others, and must be seen
        log.exception("summary_broke", article=article.id)
        verdict = f"could not be summarised ({type(error).__name__}: {error})"
    with app.db.begin() as conn:
        current = articles.get(conn, article.id)
        if current is None or current.state is not ArticleState.NEW or current.text != article.text:
            return 0
        if isinstance(verdict, str):
            articles.set_state(conn, article.id, ArticleState.HELD, verdict)
            log.warning("article_held", article=article.id, reason=verdict)
        else:
            articles.summarised(conn, article.id, verdict, now=now)
            log.info("article_ready", article=article.id, origin=str(verdict.origin), chars=len(verdict.text))
    return 1
