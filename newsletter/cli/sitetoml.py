"""How a site file is written: entries as plain values, values as TOML. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def plain(entry: BaseModel) -> dict[str, Any]:
    """What a site file says of it; of its sections only what they name."""
    values = entry.model_dump(mode="json")
    if "sections" in values:
        trimmed = [{name: value for name, value in one.items() if value} for one in values["sections"]]
        values["sections"] = trimmed
    return values


def table(name: str, values: Mapping[str, Any]) -> str:
    lines = [f"{key} = {as_toml(value)}" for key, value in values.items() if value is not None]
    return "\n".join([f"[[{name}]]", *lines])


def as_toml(value: Any) -> str:
    """A TOML value; JSON's string escapes are TOML's, but for DEL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)} = {as_toml(part)}" for name, part in value.items()) + "}"
    return "none" if value is None else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else as_toml(name)
