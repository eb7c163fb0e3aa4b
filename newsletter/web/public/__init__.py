"""What the links in a mail open, and what anybody may see. Knows readers by their tokens only; shows no address whole."""

from newsletter.web.public import articles, confirm, health, issues, pictures, preferences, unsubscribe
from newsletter.web.visit import act, show

ROUTES = (
    show("/", issues.front),
    show("/u/{token}", unsubscribe.ask),
    act("/u/{token}", unsubscribe.leave),
    act("/u/{token}/back", unsubscribe.come_back),
    show("/p/{token}", preferences.ask),
    act("/p/{token}", preferences.save),
    show("/c/{token}", confirm.ask),
    act("/c/{token}", confirm.confirm),
    show("/articles/{id}", articles.article),
    show("/issues/{id}", issues.issue),
    show("/issues/{id}/all", issues.every_item),
    show("/images/{name}", pictures.picture),
    show("/only-in-your-mail", issues.only_in_mail),
    show("/health", health.health),
)
