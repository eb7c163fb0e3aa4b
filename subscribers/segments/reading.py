"""A query into a tree, by recursive descent (pure). Nothing but this grammar is understood; none of it reaches SQL as text.

query     = all { "or" all }
all       = one { "and" one }
one       = "not" one | "(" query ")" | ( "never" | "ever" ) engaged | condition
condition = text     ( ( "=" | "!=" | "contains" | "starts" "with" | "ends" "with" ) TEXT | among )
          | texts    ( ( "=" | "!=" ) TEXT | among )
          | number   ( ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) NUMBER | among )
          | yes-no   ( "=" | "!=" ) ( "yes" | "no" )
          | date     ( ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "since" | "before" ) DAY | "within" NUMBER "days" )
          | engaged  "in" "last" NUMBER "issues"
          | any      "is" [ "not" ] "set"
among     = [ "not" ] "in" "(" value { "," value } ")"
"""

import difflib
from collections.abc import Sequence
from datetime import date

from subscribers.attributes import LARGEST, AttributeType
from subscribers.errors import SegmentFault
from subscribers.folding import How
from subscribers.segments.fields import Field, Vocabulary
from subscribers.segments.tree import And, Compare, InLast, IsSet, Like, Node, Not, OneOf, Or, Order, Value, Within
from subscribers.segments.words import Sort, Token, tokens

MAX_DEPTH = 20  # brackets and nots within each other
MAX_CONDITIONS = 60
MAX_VALUES = 200  # of one `in`
MAX_DAYS = 36_500
MAX_ISSUES = 1_000
TEXT, NUMBER, DAY, FIELD = "a text in quotes", "a number", "a day like 2026-11-22", "the name of a field"
_ORDERS = {order.value: order for order in Order}
_TESTS: dict[AttributeType, tuple[str, ...]] = {
    AttributeType.TEXT: ("=", "!=", "contains", "starts with", "ends with", "in (…)", "is set"),
    AttributeType.TEXTS: ("=", "!=", "in (…)", "is set"),
    AttributeType.NUMBER: ("=", "!=", "<", "<=", ">", ">=", "in (…)", "is set"),
    AttributeType.YES_NO: ("=", "!=", "is set"),
    AttributeType.DATE: ("=", "!=", "<", "<=", ">", ">=", "since", "before", "within", "is set"),
}


def read(text: str, known: Vocabulary) -> Node:
    """The tree of a query. Raises SegmentFault: the first place that cannot be read, and what could stand there."""
    found = tokens(text)
    if len(found) == 1:
        raise SegmentFault("empty", "there is no condition", position=1, expected=(FIELD,))
    reader = _Reader(found, known)
    node = reader.query(0)
    if reader.next.sort is not Sort.END:
        raise reader.fault("and", "or", "the end")
    return node


class _Reader:
    def __init__(self, found: Sequence[Token], known: Vocabulary) -> None:
        self._tokens, self._known = found, known
        self._at = self._conditions = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self.next
        self._at += token.sort is not Sort.END
        return token

    def takes(self, *words: str) -> bool:
        """Go past these words or signs if they come next, all of them."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if tuple(token.value for token in ahead if token.sort in (Sort.WORD, Sort.SIGN)) != words:
            return False
        self._at += len(words)
        return True

    def must(self, *words: str) -> None:
        for word in words:
            if not self.takes(word):
                raise self.fault(word)

    def fault(self, *expected: str) -> SegmentFault:
        token = self.next
        found = token.shown or "the end"
        what = f"expected {' or '.join(expected)}, found {found}"
        return SegmentFault("expected", what, position=token.position, found=token.shown, expected=expected)

    # ------------------------------------------------------------ what binds conditions

    def query(self, depth: int) -> Node:
        parts = [self._all(depth)]
        while self.takes("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Or(parts=tuple(parts))

    def _all(self, depth: int) -> Node:
        parts = [self._one(depth)]
        while self.takes("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(parts=tuple(parts))

    def _one(self, depth: int) -> Node:
        start = self.next
        if depth > MAX_DEPTH:
            what = f"brackets and nots go deeper than {MAX_DEPTH}"
            raise SegmentFault("deep", what, position=start.position)
        if self.takes("not"):
            return Not(part=self._one(depth + 1))
        if self.takes("("):
            inner = self.query(depth + 1)
            self.must(")")
            return inner
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            what = f"a segment has at most {MAX_CONDITIONS} conditions"
            raise SegmentFault("many", what, position=start.position)
        if self.takes("never"):
            return Not(part=IsSet(field=self._engaged().name))
        if self.takes("ever"):
            return IsSet(field=self._engaged().name)
        return self._condition(self._field())

    # ------------------------------------------------------------ one condition

    def _field(self) -> Field:
        token = self.next
        if token.sort is not Sort.WORD or token.value in ("and", "or", "in", "is"):
            raise self.fault(FIELD, "not", "(")
        found = self._known.fields.get(token.value)
        if found is None:
            near = tuple(difflib.get_close_matches(token.value, self._known.fields, n=3)) or tuple(self._known.fields)
            what = f"there is no field {token.shown}: expected {' or '.join(near)}"
            raise SegmentFault("field", what, position=token.position, found=token.shown, expected=near)
        self.take()
        return found

    def _engaged(self) -> Field:
        names = tuple(field.name for field in self._known.fields.values() if field.engaged)
        if self.next.value not in names:
            raise self.fault(*names)
        return self._field()

    def _condition(self, field: Field) -> Node:
        if self.takes("is", "not", "set"):
            return Not(part=IsSet(field=field.name))
        if self.takes("is"):
            self.must("set")
            return IsSet(field=field.name)
        if field.engaged and self.takes("in"):
            self.must("last")
            return InLast(field=field.name, issues=self._count(MAX_ISSUES, "issues", "issue"))
        if field.type is AttributeType.DATE:
            return self._date(field)
        if field.type is not AttributeType.YES_NO and self.takes("not", "in"):
            return Not(part=self._among(field))
        if field.type is not AttributeType.YES_NO and self.takes("in"):
            return self._among(field)
        if field.type is AttributeType.TEXT and (how := self._how()) is not None:
            return Like(field=field.name, how=how, text=self._text())
        return self._compare(field)

    def _how(self) -> How | None:
        if self.takes("contains"):
            return How.CONTAINS
        for how, word in ((How.STARTS, "starts"), (How.ENDS, "ends")):
            if self.takes(word):
                self.must("with")
                return how
        return None

    def _date(self, field: Field) -> Node:
        if self.takes("within"):
            return Within(field=field.name, days=self._count(MAX_DAYS, "days", "day"))
        if self.takes("since"):
            return Compare(field=field.name, order=Order.AT_LEAST, value=self._day())
        if self.takes("before"):
            return Compare(field=field.name, order=Order.LESS, value=self._day())
        return self._compare(field)

    def _compare(self, field: Field) -> Node:
        sign = self.next.value if self.next.sort is Sort.SIGN else ""
        if sign not in _TESTS[field.type]:
            more = ("in last … issues",) if field.engaged else ()
            raise self.fault(*_TESTS[field.type], *more)
        self.take()
        value = self._value(field)
        if sign == "!=":
            return Not(part=Compare(field=field.name, order=Order.EQUAL, value=value))
        return Compare(field=field.name, order=_ORDERS[sign], value=value)

    def _among(self, field: Field) -> Node:
        self.must("(")
        values = [self._value(field)]
        while self.takes(","):
            if len(values) == MAX_VALUES:
                what = f"at most {MAX_VALUES} values stand in one list"
                raise SegmentFault("values", what, position=self.next.position)
            values.append(self._value(field))
        if not self.takes(")"):
            raise self.fault(",", ")")
        return OneOf(field=field.name, values=tuple(dict.fromkeys(values)))

    # ------------------------------------------------------------ values

    def _value(self, field: Field) -> Value:
        match field.type:
            case AttributeType.NUMBER:
                return self._number()
            case AttributeType.YES_NO:
                return self._yes_no()
            case AttributeType.DATE:
                return self._day()
        position = self.next.position
        text = self._text()
        if field.name == "list" and text not in self._known.lists:
            known = tuple(sorted(self._known.lists))
            what = f"there is no list {text}: expected {' or '.join(known)}"
            raise SegmentFault("list", what, position=position, found=text, expected=known)
        return text

    def _text(self) -> str:
        if self.next.sort is not Sort.TEXT:
            raise self.fault(TEXT)
        if not self.next.value.strip():
            raise SegmentFault("blank", "an empty text: write `is not set`", position=self.next.position)
        return " ".join(self.take().value.split())

    def _number(self) -> int | float:
        token = self.next
        if token.sort is not Sort.NUMBER or abs(float(token.value)) > LARGEST:
            raise self.fault(NUMBER)
        self.take()
        value = float(token.value)
        return int(value) if value == int(value) else value

    def _yes_no(self) -> bool:
        for words, value in ((("yes", "true"), True), (("no", "false"), False)):
            if any(self.takes(word) for word in words):
                return value
        raise self.fault("yes", "no")

    def _day(self) -> date:
        if self.next.sort is not Sort.DATE:
            raise self.fault(DAY)
        try:
            day = date.fromisoformat(self.next.value)
        except ValueError:
            raise self.fault(DAY) from None
        if not 1900 <= day.year <= 9000:  # the days around it must exist in every time zone
            raise self.fault(DAY)
        self.take()
        return day

    def _count(self, most: int, *units: str) -> int:
        token = self.next
        if token.sort is not Sort.NUMBER or not token.value.isdigit() or not 1 <= int(token.value) <= most:
            raise self.fault(f"a number from 1 to {most:,}")
        self.take()
        if not any(self.takes(unit) for unit in units):
            raise self.fault(units[0])
        return int(token.value)
