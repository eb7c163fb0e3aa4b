"""The summarise stage: articles `new` become `ready` with a summary that passed the guard, or `held` with the reason.

It must never invent a fact, break a sentence or drop a diacritic. The modules beside this one are pure: `choice` decides,
with `clean` → `sentences` → `rank` → `extract` for the words and `guard` for the truth; `topics` names what it is about.
Only `run` and `edit` touch rows, only `writer` the network: a language model, when one is set, is asked in a bounded pool
of threads, and what it may not say the extract says.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime

from newsletter.app import App
from newsletter.log import get_logger
from newsletter.model import Article, ArticleId, ArticleState, Summary, SummaryOrigin
from newsletter.store import articles, summaries
from newsletter.summarise.choice import judge_edit, summarise
from newsletter.summarise.topics import topics
from newsletter.summarise.writer import Writer

log = get_logger("summarise")

Decided = Summary | str  # or the reason why a person must look at it


def run(app: App, now: datetime) -> int:
    """Summarise every article that waits; returns how many moved on. Run twice it does nothing the second time."""
    moved, seen, writer = 0, set[ArticleId](), writer_of(app)
    while not app.stopping.is_set():
        with app.db.read() as conn:
            waiting = [article for article in articles.new(conn) if article.id not in seen]
        if not waiting:
            break
        seen |= {article.id for article in waiting}
        for at, (article, decided) in enumerate(_decided(app, writer, waiting), 1):
            moved += _settle(app, article, decided, now)
            app.watch("summarise", article.title, at, len(waiting))
    return moved


def writer_of(app: App) -> Writer | None:
    """Who writes in this run, when the settings name a model."""
    settings = app.settings.model
    if not settings.url:
        return None
    return Writer(settings, app.fetcher, tell=lambda line: app.watch("summarise", line), stopping=app.stopping)


def decide(article: Article, writer: Writer | None = None) -> Decided:
    """The article's summary, or the reason why a person must look at it.

    An edit by staff is kept when the article is collected again, with a fresh verdict: a person's word wins, and staff see
    that the article changed after it.
    """
    edit = article.summary if article.summary and article.summary.origin is SummaryOrigin.HUMAN else None
    if edit is not None:
        return judge_edit(
            edit, title=article.title, standfirst=article.standfirst, text=article.text, language=article.language
        )
    return made(article, writer)


def made(article: Article, writer: Writer | None = None) -> Decided:
    """What the machine says of the article: the publisher's standfirst, else the model's words, else an extract."""
    found = summarise(title=article.title, text=article.text, standfirst=article.standfirst, language=article.language)
    if found is None:
        return "no whole sentence to summarise it with" if article.text.strip() else "it has no text"
    if not found.guard.ok:
        return f"the guard refused its summary: {'; '.join(found.guard.reasons)}"
    if writer is None or found.origin is not SummaryOrigin.EXTRACT:
        return found
    written = writer.write(article)
    if written.summary is not None:
        return replace(written.summary, use=written.use)
    return replace(found, note=f"the model was not used: {written.why}", use=written.use)


def topics_of(article: Article) -> tuple[str, ...]:
    return topics(title=article.title, text=article.text, language=article.language, own=article.source_topics)


def _decided(app: App, writer: Writer | None, waiting: Sequence[Article]) -> Iterator[tuple[Article, Decided]]:
    """Each article with what was decided, as it comes. Ends early when the service stops: the rest stays `new`."""
    if writer is None:
        for article in waiting:
            if app.stopping.is_set():
                return
            yield article, _careful(article, None)
        return
    most = min(app.settings.model.connections, len(waiting))
    with ThreadPoolExecutor(max_workers=most, thread_name_prefix="summarise") as pool:
        jobs: dict[Future[Decided], Article] = {pool.submit(_careful, one, writer): one for one in waiting}
        while jobs and not app.stopping.is_set():
            for job in wait(jobs, timeout=1, return_when=FIRST_COMPLETED).done:
                if app.stopping.is_set():  # it may have been broken off: the next run asks again
                    break
                yield jobs.pop(job), job.result()
        pool.shutdown(cancel_futures=True)


def _careful(article: Article, writer: Writer | None) -> Decided:
    try:
        return decide(article, writer)
    except Exception as error:  # a fault of ours in one text must not stop the others, and must be seen
        log.exception("summary_broke", article=article.id)
        return f"could not be summarised ({type(error).__name__}: {error})"


def _settle(app: App, article: Article, decided: Decided, now: datetime) -> int:
    """Write what was decided, unless the article changed meanwhile: then it is still `new` and the next run takes it."""
    with app.db.begin() as conn:
        current = articles.get(conn, article.id)
        if current is None or current.state is not ArticleState.NEW or current.text != article.text:
            return 0
        if isinstance(decided, str):
            articles.set_state(conn, article.id, ArticleState.HELD, decided)
            log.warning("article_held", article=article.id, reason=decided)
        elif decided.origin is SummaryOrigin.HUMAN:
            summaries.judged(conn, article.id, decided.guard)
            articles.ready(conn, article.id, topics_of(article))
            log.info("edit_kept", article=article.id, agrees=decided.guard.ok)
        else:
            articles.summarised(conn, article.id, decided, now=now, topics=topics_of(article))
            log.info("article_ready", article=article.id, origin=str(decided.origin), chars=len(decided.text))
    return 1
