"""Adding an article by hand: a form, and what becomes of it. A text that cannot be taken comes back as it was typed."""

from starlette.responses import Response

from newsletter.collect.pasted import Facts, from_paste, manual_sources, source_for
from newsletter.collect.pasted import take as take_article
from newsletter.errors import BadInput
from newsletter.log import get_logger
from newsletter.web.visit import Visit

log = get_logger("web")

LONGEST_FORM = 2 << 20  # octets: an article of 200 kB, each Vietnamese letter escaped as up to nine

# BadInput names the field; what is wrong with it in the words of this page
_FAULTS = {
    "title": "The article needs a title.",
    "url": "This is not a web address; it begins with https://.",
    "date": "This date cannot be read.",
    "source": "There is no such source any more; choose another.",
}


def ask(visit: Visit) -> Response:
    return _form(visit, text="", facts=Facts())


def take(visit: Visit) -> Response:
    text, form = visit.form.get("text", ""), visit.form
    facts = Facts(**{name: form.get(name, "") for name in ("title", "date", "url", "author")})
    try:
        item = from_paste(text, facts)
    except BadInput as error:
        return _form(visit, text=text, facts=facts, fault=error.where, empty=not text.strip())
    try:
        source = source_for(visit.app, form.get("source", ""), visit.now)
    except BadInput:
        return _form(visit, text=text, facts=facts, fault="source")
    taken = take_article(visit.app, source, item, visit.now)
    assert visit.member is not None
    log.info("staff_article", article=taken.article_id, staff=visit.member.id, fresh=taken.fresh)
    return visit.go(f"/staff/articles/{taken.article_id}?added={'new' if taken.fresh else 'known'}")


def _form(visit: Visit, *, text: str, facts: Facts, fault: str = "", empty: bool = False) -> Response:
    with visit.app.db.read() as conn:
        sources = manual_sources(conn)
    _ = visit.words.gettext
    said = (_("Please paste the text.") if empty else _("The text is too long.")) if fault == "text" else ""
    faults = {fault: said or _(_FAULTS.get(fault, ""))} if fault else {}
    typed = {"text": text, "title": facts.title, "date": facts.date, "url": facts.url, "author": facts.author}
    return visit.page(
        "staff/paste.html",
        status=422 if fault else 200,
        typed=typed,
        faults=faults,
        sources=sources,
        chosen=visit.form.get("source", ""),
    )
