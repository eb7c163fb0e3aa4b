"""Tags that are never closed, and closing tags that close nothing: every one, with its line. Pure.

An XML parser stops at the first and speaks of the second tag; a person wants to know the first, and all of them.
"""

import re
from collections import Counter
from collections.abc import Iterator

_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<closes>/?)(?P<name>[A-Za-z][\w:.-]*)(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?(?P<alone>/?)>",
    re.DOTALL,
)


def unbalanced(text: str) -> Iterator[tuple[int, str]]:
    """(line from 1, what is wrong) for each tag without its other half. `text` has its void elements closed."""
    opened: list[tuple[str, int]] = []
    waiting: Counter[str] = Counter()  # how many of each are open
    line, seen = 1, 0
    for tag in _TAG.finditer(text):
        line, seen = line + text.count("\n", seen, tag.start()), tag.start()
        name = tag["name"]
        if name is None or tag["alone"]:
            continue
        if not tag["closes"]:
            opened.append((name, line))
            waiting[name] += 1
        elif waiting[name]:
            waiting[name] -= 1
            while (last := opened.pop())[0] != name:
                waiting[last[0]] -= 1
                yield last[1], f"<{last[0]}> is not closed before </{name}>"
        else:
            yield line, f"</{name}> closes nothing"
    for name, where in reversed(opened):
        yield where, f"<{name}> is never closed"
