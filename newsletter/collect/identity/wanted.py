"""Which articles of a source are wanted, by the words its operator named. Pure.

Whole words and phrases count, as `locale.phrases` finds them. Must never judge by an excerpt what the article's own page
may still say: `partial` articles are only refused for what they do have.
"""

from newsletter.locale.phrases import first_of, folded
from newsletter.model import RawItem, Source


def unwanted(source: Source, item: RawItem, *, partial: bool = False) -> str | None:
    """Why `item` is not wanted of `source`, in words for a person; None when it is.

    `partial`: its page is still to be read, so that a wanted word it lacks may yet come.
    """
    if not source.include and not source.exclude:
        return None
    text = folded("\n".join((item.title, item.standfirst or "", item.text)))
    found = first_of(source.exclude, text)
    if found is not None:
        return f"has the excluded word {_quoted(found)}"
    if not source.include or partial or first_of(source.include, text) is not None:
        return None
    return f"has none of the wanted words {', '.join(map(_quoted, source.include))}"


def _quoted(phrase: str) -> str:
    return f"'{phrase}'"
