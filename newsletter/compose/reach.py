"""What templates may reach: the methods of plain values, and which of Jinja2's filters are left out. A list, no code.

A method or filter that makes a large value of small ones (`zfill`, `center`), or reads attributes by name, must never be added.
"""

from datetime import date
from datetime import time as time_of_day
from decimal import Decimal

TEXT_METHODS = frozenset(
    [
        "capitalize",
        "casefold",
        "count",
        "endswith",
        "find",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isspace",
        "istitle",
        "isupper",
        "join",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rindex",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
        "striptags",
        "unescape",
    ]
)
METHODS: tuple[tuple[tuple[type, ...], frozenset[str]], ...] = (
    ((str,), TEXT_METHODS),
    ((bytes, bytearray, int, float, Decimal), frozenset()),
    ((list, tuple), frozenset(("count", "index"))),
    ((dict,), frozenset(("get", "items", "keys", "values"))),
    (
        (date, time_of_day),
        frozenset(
            ["year", "month", "day", "hour", "minute", "second", "weekday", "isoweekday", "isoformat", "date", "time"]
        ),
    ),
)
NO_FILTERS = ("attr", "center", "format", "indent", "pprint", "random", "tojson", "urlize", "wordwrap", "xmlattr")
OF_LISTS = frozenset(
    [
        "batch",
        "count",
        "dictsort",
        "first",
        "groupby",
        "items",
        "last",
        "length",
        "list",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "select",
        "selectattr",
        "slice",
        "sort",
        "sum",
        "unique",
        "default",
        "d",
    ]
)
