"""Pages for communications staff: what waits, each issue under review, sources and articles. All behind a login."""

from newsletter.web.staff import acts, articles, items, login, overview, pasting, preview, review, sources, wording
from newsletter.web.staff.session import for_staff
from newsletter.web.visit import act, show

ROUTES = (
    show("/staff/login", login.ask),
    act("/staff/login", login.enter),
    show("/staff/link/{secret}", login.ask_password),
    act("/staff/link/{secret}", login.choose_password),
    act("/staff/logout", login.leave),
    show("/staff", for_staff(overview.home)),
    show("/staff/", for_staff(overview.overview)),
    show("/staff/issues/{id}", for_staff(review.review)),
    show("/staff/issues/{id}/frame", for_staff(preview.frame)),
    act("/staff/issues/{id}/approve", for_staff(acts.approve)),
    act("/staff/issues/{id}/draft", for_staff(acts.back_to_draft)),
    act("/staff/issues/{id}/cancel", for_staff(acts.cancel)),
    act("/staff/issues/{id}/pause", for_staff(acts.pause)),
    act("/staff/issues/{id}/resume", for_staff(acts.resume)),
    act("/staff/issues/{id}/reopen", for_staff(acts.reopen)),
    act("/staff/issues/{id}/intro", for_staff(acts.intro)),
    act("/staff/issues/{id}/items/{article}", for_staff(items.act)),
    act("/staff/issues/{id}/test", for_staff(acts.send_test)),
    show("/staff/sources", for_staff(sources.sources)),
    show("/staff/articles", for_staff(articles.articles)),
    show("/staff/articles/new", for_staff(pasting.ask)),
    act("/staff/articles/new", for_staff(pasting.take), longest=pasting.LONGEST_FORM),
    show("/staff/articles/{id}", for_staff(articles.article)),
    act("/staff/articles/{id}/edit", for_staff(wording.edit)),
    act("/staff/articles/{id}/regenerate", for_staff(wording.regenerate)),
    act("/staff/articles/{id}/revert", for_staff(wording.revert)),
    act("/staff/articles/{id}/release", for_staff(articles.release)),
    act("/staff/articles/{id}/drop", for_staff(articles.drop)),
    act("/staff/articles/{id}/weigh", for_staff(articles.weigh)),
    act("/staff/articles/{id}/apart", for_staff(articles.tell_apart)),
)
