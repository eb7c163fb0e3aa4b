"""Jinja2 in which a template pays for what it does, so that none can take the program's time or memory.

Every loop round, call, filter, output, subscript and piece of text is charged to the rendering's Meter, and what a template can
build is bounded where it is built: texts, lists (counted with all they hold), numbers, ranges. So a template costs at most
STEPS small steps and some CPU seconds of its own thread, and what the bounds allow fits into memory many times. Only what is
known to be harmless is reachable: filters and methods that make large values from small ones (`format`, `center`, `zfill`)
are left out. Must never count by the clock on the wall: a busy machine must not refuse what a calm one takes.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from datetime import date
from datetime import time as time_of_day
from decimal import Decimal
from functools import wraps
from typing import Any

from jinja2 import Undefined, nodes, pass_eval_context
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from newsletter.compose.reach import METHODS, NO_FILTERS, OF_LISTS
from newsletter.errors import NewsletterError

STEPS = 100_000  # the bulletin takes 1,700
CPU = 3.0  # seconds of the rendering's thread; the bulletin takes 0.004, 0.1 when it is compiled first; once a busy one took 1
TEXT = 1_000_000  # characters of one text
ITEMS = 10_000  # of one list, with all that its items hold
BITS = 4_096  # of a whole number
_CHARACTERS_A_STEP = 100
_LOOK_EVERY = 8  # charges between two looks at the processor's time, which is a system call


class TooCostly(NewsletterError):
    """A template wants more than it may have."""


class Meter:
    """What one rendering has used up."""

    __slots__ = ("_look", "_until", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self._look = 0
        self._until = time.thread_time() + CPU

    def charge(self, steps: int) -> None:
        """Raises TooCostly when it was one too many."""
        self.steps += steps
        self._look += 1
        if self.steps > STEPS:
            raise TooCostly(f"takes more than {STEPS:,} steps", hint="a loop or a macro goes on too long")
        if self._look >= _LOOK_EVERY:
            self._look = 0
            if time.thread_time() > self._until:
                raise TooCostly(f"takes more than {CPU} seconds")


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


class metered:
    """Within it every rendering is charged to one Meter; the outermost counts."""

    def __enter__(self) -> Meter:
        outer = _METER.get()
        self._meter = outer or Meter()
        self._token = _METER.set(self._meter)
        return self._meter

    def __exit__(self, *_: object) -> None:
        _METER.reset(self._token)


def charge(steps: int = 1) -> None:
    meter = _METER.get()
    if meter is not None:
        meter.charge(steps)


# ---------------------------------------------------------------- values


def bounded(value: Any) -> Any:
    """`value`, charged for its size. Raises TooCostly for a text or list that is too large."""
    if isinstance(value, str):
        _text(len(value))
        charge(len(value) // _CHARACTERS_A_STEP + 1)
    elif isinstance(value, list | tuple | dict | set | frozenset):
        charge(_weight(value))
    else:
        charge(1)
    return value


def _text(size: int) -> None:
    if size > TEXT:
        raise TooCostly(f"makes a text of more than {TEXT:,} characters")


def _weight(value: Any) -> int:
    """How many values hang below one, each counted as often as it can be reached; raises TooCostly beyond the bounds.

    A list that holds one list twice, and so on for forty levels, is small in memory and endless to read.
    """
    count, characters, left = 0, 0, [value]
    while left:
        one = left.pop()
        count += 1
        if isinstance(one, str):
            characters += len(one)
            _text(characters)
        elif isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            left += one
        if count + len(left) > ITEMS:
            raise TooCostly(f"makes a list of more than {ITEMS:,} values")
    return count + characters // _CHARACTERS_A_STEP


def written(value: Any) -> Any:
    """A value as `{{ }}` may write it; raises SecurityError for a list, a dictionary, a function, an object of ours."""
    charge(1)
    if isinstance(value, str | int | float | date | time_of_day | Decimal | Undefined) or value is None:
        return value
    raise SecurityError(f"a {type(value).__name__} cannot be written out; name what of it")


def _joined(pieces: Iterable[str]) -> str:
    """What a template, a macro or a block wrote, as one text."""
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        _text(size)
        kept.append(piece)
    charge(size // _CHARACTERS_A_STEP + 1)
    return "".join(kept)


class _Counted:
    """The values of a loop, each charged when its turn comes."""

    __slots__ = ("_values",)

    def __init__(self, values: Any) -> None:
        self._values = values

    def __iter__(self) -> Iterator[Any]:
        for value in self._values:
            charge(1)
            yield value

    def __len__(self) -> int:
        return len(self._values)


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > ITEMS:
        raise TooCostly(f"counts further than {ITEMS:,}")
    return made


# ---------------------------------------------------------------- operators, methods, filters


def _before_operator(operator: str, left: Any, right: Any) -> None:
    whole = isinstance(left, int) and isinstance(right, int)
    if operator == "%" and isinstance(left, str | bytes):
        raise SecurityError("% cannot format a text; join with ~")
    if operator == "+" and _sized(left) and _sized(right):
        _fits(left, len(left) + len(right))
    if operator == "*":
        for text, times in ((left, right), (right, left)):
            if _sized(text) and isinstance(times, int):
                _fits(text, len(text) * times)
    bits = 0
    if whole and operator in "**":
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
    if bits > BITS:
        raise TooCostly(f"makes a number of more than {BITS:,} bits")


def _sized(value: Any) -> bool:
    return isinstance(value, str | bytes | list | tuple)


def _fits(kind: Any, size: int) -> None:
    if size > (TEXT if isinstance(kind, str | bytes) else ITEMS):
        raise TooCostly(f"makes a text or list of {size:,}")


def _before_text_call(name: str, text: str, arguments: tuple[Any, ...]) -> None:
    """The two methods of a text that can multiply it."""
    if name == "replace" and len(arguments) >= 2:
        sought, instead = str(arguments[0]), str(arguments[1])
        _text(len(text) + (text.count(sought) if sought else len(text) + 1) * len(instead))
    if name == "join" and arguments:
        raise SecurityError("join a list with |join")


def _before_label_call(name: str, arguments: tuple[Any, ...], given: dict[str, Any]) -> None:
    """A label is filled with values as often as it names them, and it may come from the template."""
    if name in ("gettext", "ngettext"):
        # Jinja hands the local variables of a block or loop along as _block_vars and _loop_vars.
        values = [value for key, value in given.items() if not key.startswith("_")]
        for value in (*arguments, *values):
            written(value)
        places = max((str(label).count("{") for label in arguments), default=0)
        _text(places * max((len(str(value)) for value in values), default=0))


def _filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with its arguments looked at and its result charged."""
    at = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def run(*arguments: Any, **given: Any) -> Any:
        charge(1)
        head, value, rest = arguments[:at], arguments[at], arguments[at + 1 :]
        if name not in OF_LISTS and name != "join":
            written(value)
        if name in ("sort", "unique", "groupby", "join", "max", "min", "sum", "batch", "slice", "reverse", "list"):
            value = _few(value)
        _before_filter(name, value, rest, given)
        return bounded(function(*head, value, *rest, **given))

    return run


def _few(value: Any) -> Any:
    """A list of what an iterable gives, if it is not too much."""
    if isinstance(value, str | list | tuple | dict | Undefined) or not hasattr(value, "__iter__"):
        return bounded(value)
    kept: list[Any] = []
    for one in value:
        kept.append(one)
        if len(kept) > ITEMS:
            raise TooCostly(f"makes a list of more than {ITEMS:,} values")
    return bounded(kept)


def _before_filter(name: str, value: Any, rest: tuple[Any, ...], given: dict[str, Any]) -> None:
    extra = (*rest, *given.values())
    if name == "replace" and len(extra) >= 2:
        _before_text_call("replace", str(value), extra)
    elif name == "join":
        for one in value if isinstance(value, list | tuple) and not extra[1:] else ():
            written(one)
        apart = str(extra[0]) if extra else ""
        _text(len(apart) * (len(value) if hasattr(value, "__len__") else 0))
    elif name in ("batch", "slice", "round", "truncate"):
        if any(isinstance(one, int) and abs(one) > ITEMS for one in extra) or (name == "round" and _far(extra)):
            raise TooCostly(f"asks {name} for too much")
    elif name == "sum" and any(_sized(one) for one in (given.get("start"), *rest[1:])):
        raise SecurityError("sum adds numbers only")


def _far(extra: tuple[Any, ...]) -> bool:
    return any(isinstance(one, int) and abs(one) > 20 for one in extra)


@pass_eval_context
def _concat(eval_ctx: Any, pieces: list[Any]) -> Any:
    for piece in pieces:
        written(piece)
    _text(sum(len(piece) for piece in pieces if isinstance(piece, str)))
    return bounded((markup_join if eval_ctx.autoescape else str_join)(pieces))


# ---------------------------------------------------------------- the environment


class _Meters(NodeTransformer):
    """Puts the meter where the sandbox offers no place for it: loops, ~, literals, slices, `in`."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _through("_counted", node.iter)  # type: ignore[arg-type]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _through("_concat", nodes.List(node.nodes, lineno=node.lineno))

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return _through("_bounded", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _through("_bounded", node) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _through("_bounded", node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _through("_bounded", node) if isinstance(node.arg, nodes.Slice) else node

    def visit_Operand(self, node: nodes.Operand) -> nodes.Node:
        self.generic_visit(node)
        if node.op in ("in", "notin"):
            node.expr = _through("_bounded", node.expr)
        return node


def _through(name: str, node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class _Generator(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:
        super().visit_Template(_Meters().visit(node), frame)


class MeteredEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with a meter. Rendered outside `metered()` it still bounds each value, but not their sum."""

    code_generator_class = _Generator
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    concat = staticmethod(_joined)

    def __init__(self, **options: Any) -> None:
        # Not optimized: constants would be worked out while compiling, where nothing is charged.
        super().__init__(finalize=written, optimized=False, **options)
        self.filters = {
            name: _filter(name, function) for name, function in self.filters.items() if name not in NO_FILTERS
        } | {"_counted": _Counted, "_bounded": bounded, "_concat": _concat}
        self.globals["range"] = _range
        del self.globals["lipsum"]

    def add_filter(self, name: str, function: Callable[..., Any]) -> None:
        """A filter of our own, charged like the others."""
        self.filters[name] = _filter(name, function)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._reached(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self._reached(super().getitem(obj, argument))

    @staticmethod
    def _reached(value: Any) -> Any:
        charge(len(value) // _CHARACTERS_A_STEP + 1 if isinstance(value, str) else 1)
        return value

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kinds, names in METHODS:
            if isinstance(obj, kinds):
                return attr in names or attr in getattr(type(obj), "_fields", ())  # grouper and list of |groupby
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        return None  # `format` is then refused like any unknown method

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _before_operator(operator, left, right)
        return bounded(super().call_binop(context, operator, left, right))

    def call(self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str):
            _before_text_call(name, owner, args)
        elif owner is not None:
            _before_label_call(name, args, kwargs)
        return bounded(super().call(__context, __obj, *args, **kwargs))

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        charge(10)
        return super().get_template(name, parent, globals)
