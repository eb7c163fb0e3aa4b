"""What the links in a mail open, and what anybody may see. Knows readers by their tokens only; shows no address whole."""

from newsletter.web.public import (
    archive,
    articles,
    confirm,
    health,
    issues,
    pictures,
    preferences,
    subscribe,
    theme,
    unsubscribe,
    yourdata,
)
from newsletter.web.visit import act, show

# Longer than asking, storing and wording take, with a letter or without: the time of an answer tells nobody who is known.
EVEN = 0.15

ROUTES = (
    show("/", issues.front),
    show("/subscribe/{list}", subscribe.ask),
    act("/subscribe/{list}", subscribe.join, least=EVEN),
    show("/subscribe/{list}/snippet", subscribe.snippet),
    show("/theme/{slug}.css", theme.theme),
    show("/archive/{slug}", archive.page),
    show("/archive/{slug}/rss.xml", archive.rss),
    show("/archive/{slug}/feed.json", archive.json_feed),
    show("/u/{token}", unsubscribe.ask),
    act("/u/{token}", unsubscribe.leave),
    act("/u/{token}/back", unsubscribe.come_back),
    show("/p/{token}", preferences.ask),
    act("/p/{token}", preferences.save),
    act("/p/{token}/pause", preferences.pause),
    act("/p/{token}/resume", preferences.resume),
    act("/p/{token}/address", preferences.change_address, least=EVEN),
    act("/p/{token}/data", preferences.send_data),
    show("/your-data", yourdata.ask),
    act("/your-data", yourdata.send, least=EVEN),
    act("/c/{token}/export", yourdata.export),
    act("/c/{token}/erase", yourdata.erase),
    show("/c/{token}", confirm.ask),
    act("/c/{token}", confirm.confirm),
    show("/articles/{id}", articles.article),
    show("/issues/{id}", issues.issue),
    show("/issues/{id}/all", issues.every_item),
    show("/images/{name}", pictures.picture),
    show("/only-in-your-mail", issues.only_in_mail),
    show("/health", health.health),
)
