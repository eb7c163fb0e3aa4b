"""What each mail program is known to show, from caniemail's tests (support.json, support.LICENSE; refresh.py makes it anew)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

NO, PARTLY, YES = "n", "a", "y"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a program takes one feature. `why`: the notes of whoever tested it, in English; "" without any."""

    title: str
    level: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What one program takes. A feature nobody tested there counts as shown: nothing is claimed without a test."""

    answers: Mapping[str, Answer]

    def of(self, feature: str) -> Answer | None:
        return self.answers.get(feature)

    def lacks(self, feature: str) -> bool:
        answer = self.answers.get(feature)
        return answer is not None and answer.level == NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Where the knowledge comes from."""

    source: str
    version: str
    updated: date


@cache
def basis() -> Basis:
    data = _data()
    return Basis(source=data["source"], version=data["version"], updated=date.fromisoformat(data["updated"]))


@cache
def support_of(client: str) -> Support:
    """`gmail/android`, `outlook/windows`, … Raises KeyError for a program that is not in the data."""
    answers = {
        slug: _answer(feature, feature["clients"][client])
        for slug, feature in _data()["features"].items()
        if client in feature["clients"]
    }
    if not answers:
        raise KeyError(client)
    return Support(answers=answers)


@cache
def known_features() -> frozenset[str]:
    return frozenset(_data()["features"])


def _answer(feature: Mapping[str, object], result: str) -> Answer:
    notes = feature.get("notes")
    named = re.findall(r"#(\d+)", result)
    why = [str(notes[number]) for number in named if number in notes] if isinstance(notes, Mapping) else []
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|`", r"\1", " ".join(why))
    return Answer(title=str(feature["title"]), level=result[:1], why=plain)


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("support.json").read_text(encoding="utf-8"))
    return loaded
