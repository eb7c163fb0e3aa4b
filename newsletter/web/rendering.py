"""Jinja2 pages: the environment, and what every template may name."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from newsletter.app import App
from newsletter.locale import Labels
from newsletter.mail.findings import place_told, told
from newsletter.store.staff import Staff
from newsletter.web.assets import Asset
from newsletter.web.language import choices
from newsletter.web.reasons import reason_in

FOLDER = Path(__file__).parent / "pages"


class Shown(Protocol):
    """What a page must know of the visit it is shown to."""

    @property
    def app(self) -> App: ...
    @property
    def words(self) -> Labels: ...
    @property
    def language(self) -> str: ...
    @property
    def member(self) -> Staff | None: ...
    @property
    def request(self) -> Request: ...


class Pages:
    """Renders pages. Everything is escaped; a name that is missing is an error, not an empty place."""

    def __init__(self, base_url: str, assets: Mapping[str, Asset]) -> None:
        self.prefix = urlsplit(base_url).path.rstrip("/")
        self._assets = assets
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def path(self, path: str) -> str:
        """A path of ours as a browser sees it, under the base URL's own path."""
        return self.prefix + path

    def asset(self, name: str) -> str:
        return f"{self.prefix}/static/{name}?v={self._assets[name].version}"

    def render(self, name: str, visit: Shown, values: Mapping[str, object]) -> str:
        words = visit.words

        def moment(value: datetime, zone: str = "") -> str:
            return words.format_datetime_in(value, zone or visit.app.settings.timezone)

        return self._environment.get_template(name).render(
            {
                "_": words.gettext,
                "ngettext": words.ngettext,
                "number": words.format_number,
                "day": words.format_date,
                "moment": moment,
                "finding": lambda finding: (
                    told(words, finding) if finding.template else reason_in(words, finding.message)
                ),
                "place": lambda where: place_told(words, where),
                "reason": lambda text: reason_in(words, text),
                "language": visit.language,
                "languages": choices(),
                "direction": words.direction,
                "path": self.path,
                "asset": self.asset,
                "member": visit.member,
                "here": self.path(visit.request.url.path),
                "organisation": visit.app.settings.sender.organisation or visit.app.settings.sender.name,
                **values,
            }
        )
