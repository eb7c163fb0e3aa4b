"""Errors a person will read. Each says what is wrong, where, and what to do.

NewsletterError
├── ConfigError        the settings file, an environment variable or a data folder is wrong
├── BadInput           something given by a person (file, address, cron, slug) cannot be used
├── SourceError        a source could not be read this time (collect records it and goes on)
│   ├── FetchRefused   our own guard said no (private address, odd scheme, too big), or the site's robots.txt
│   ├── Unreadable     the answer came but is not what was expected (HTML instead of a feed)
│   └── LayoutChanged  the structure in which a listing showed its articles is gone
├── TemplateError      a design cannot be rendered; carries file and line
├── NotAllowed         a state change that the present state forbids (approve a sent issue)
└── TransportDown      nothing can be sent now through this transport; rows stay as they were
"""


class NewsletterError(Exception):
    """Root of all errors that are shown as one line, without a traceback.

    what: the fault in one sentence. where: file, line, key or id it was found at. hint: what to do.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.what}{advice}"


class ConfigError(NewsletterError):
    pass


class BadInput(NewsletterError):
    pass


class SourceError(NewsletterError):
    """`retry_after`: seconds the source asked us to wait (Retry-After), or None. `status`: HTTP status or None."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        hint: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status, self.retry_after = status, retry_after


class FetchRefused(SourceError):
    pass


class Unreadable(SourceError):
    pass


class LayoutChanged(SourceError):
    pass


class TemplateError(NewsletterError):
    """`where` is `file:line` inside the design folder."""


class NotAllowed(NewsletterError):
    pass


class TransportDown(NewsletterError):
    pass
