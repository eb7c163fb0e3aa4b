"""What this package refuses, in words for a person: what is wrong, where, and what to do. No message holds an address.

SubscribersError
├── InvalidAddress   the text is no usable address (also ValueError)
├── InvalidValue     a language, time zone, slug or attribute cannot be used (also ValueError)
│   └── SegmentFault  a segment's query cannot be read; says at which character
├── ImportProblem    a file cannot be imported at all (also ValueError)
├── UnknownList      no list with that slug (also LookupError)
├── UnknownPerson    no person with that id (also LookupError)
├── UnknownSegment   no segment with that slug (also LookupError)
└── KeyMismatch      the suppression key is not the one this database was filled with
"""


class SubscribersError(Exception):
    """what: the fault in one sentence. where: file, line, slug or id it was found at. hint: what to do."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.what}{advice}"


class InvalidAddress(SubscribersError, ValueError):
    """`reason` is one sentence that never repeats the text."""

    @property
    def reason(self) -> str:
        return self.what


class InvalidValue(SubscribersError, ValueError):
    pass


class SegmentFault(InvalidValue):
    """A query that cannot be read. `kind` names what is wrong with it, for who says it in another language.

    `position` counts characters from 1; `expected` are the words or values that could stand there, `found` what does.
    """

    def __init__(self, kind: str, what: str, *, position: int, found: str = "", expected: tuple[str, ...] = ()) -> None:
        super().__init__(what, where=f"at character {position}")
        self.kind, self.position, self.found, self.expected = kind, position, found, expected


class ImportProblem(SubscribersError, ValueError):
    pass


class UnknownList(SubscribersError, LookupError):
    pass


class UnknownPerson(SubscribersError, LookupError):
    pass


class UnknownSegment(SubscribersError, LookupError):
    pass


class KeyMismatch(SubscribersError):
    pass
