"""What differs between two manifests: two issues, or two versions of one. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from newsletter.compose.manifest import Manifest

_NOT_COMPARED = ("position", "article_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An article and its place, from 1; None where it does not stand."""

    article: str
    title: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """`what` names the thing (subject, design, an article), `field` what of it, in a language if it has one."""

    what: str
    field: str
    before: Any
    after: Any
    language: str | None = None
    article: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    taken_in: tuple[Placed, ...]
    left_out: tuple[Placed, ...]
    moved: tuple[Placed, ...]  # against those that stayed in order
    changed: tuple[Changed, ...]

    def __bool__(self) -> bool:
        return bool(self.taken_in or self.left_out or self.moved or self.changed)


def differences(before: Manifest, after: Manifest) -> Differences:
    """What a reader of `before` would find otherwise in `after`, and what made it so."""
    old, new = _by_id(before), _by_id(after)
    places = {article: (_place(old, article), _place(new, article)) for article in {**old, **new}}
    shown = {**old, **new}

    def placed(article: str) -> Placed:
        was, now = places[article]
        return Placed(article=article, title=shown[article]["words"]["title"], before=was, after=now)

    return Differences(
        taken_in=tuple(placed(article) for article in new if article not in old),
        left_out=tuple(placed(article) for article in old if article not in new),
        moved=tuple(placed(article) for article in _moved(list(old), list(new))),
        changed=tuple(_changes(before, after)),
    )


def _by_id(manifest: Manifest) -> dict[str, Any]:
    return {article["id"]: article for article in manifest["articles"]}


def _place(articles: Mapping[str, Any], article: str) -> int | None:
    return list(articles).index(article) + 1 if article in articles else None


def _moved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Those in both that do not stand in the longest runs both have in common."""
    was, now = ([one for one in these if one in those] for these, those in ((old, new), (new, old)))
    kept = {
        one
        for block in SequenceMatcher(a=was, b=now, autojunk=False).get_matching_blocks()
        for one in was[block.a : block.a + block.size]
    }
    return [one for one in now if one not in kept]


def _changes(before: Manifest, after: Manifest) -> Iterator[Changed]:
    old, new = _by_id(before), _by_id(after)
    for language in dict.fromkeys([*before["renderings"], *after["renderings"]]):
        yield from _of_language(language, before["renderings"].get(language), after["renderings"].get(language))
    for article in new:
        if article in old and old[article]["version"] != new[article]["version"]:
            for field, was, now in _unlike(old[article]["words"], new[article]["words"]):
                if field not in _NOT_COMPARED:
                    title = new[article]["words"]["title"]
                    yield Changed(what=title, field=field, before=was, after=now, article=article)
    for what in ("design", "settings", "programs"):
        for field, was, now in _unlike(before[what], after[what]):
            yield Changed(what=what, field=field, before=was, after=now)


def _of_language(language: str, before: Any, after: Any) -> Iterator[Changed]:
    if before is None or after is None:
        said = [None if one is None else language for one in (before, after)]
        yield Changed(what="languages", field="language", before=said[0], after=said[1], language=language)
        return
    for what in ("issue", "newsletter", "options"):
        for field, was, now in _unlike(before[what], after[what]):
            yield Changed(what=what, field=field, before=was, after=now, language=language)


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for field in dict.fromkeys([*before, *after]):
        was, now = before.get(field), after.get(field)
        if was != now:
            yield field, was, now
