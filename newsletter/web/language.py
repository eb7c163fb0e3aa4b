"""Which language a page speaks. Pure."""

from newsletter.locale import available, babel_locale


def asked_for(tag: str | None) -> str | None:
    """A language we have labels for, or None."""
    base = (tag or "").strip().split("-")[0].split("_")[0].lower()
    return base if base in available() else None


def preferred(accept_language: str, default: str) -> str:
    """The best of an Accept-Language header (RFC 9110 section 12.5.4), else `default`, else English."""
    offers = []
    for place, offer in enumerate(accept_language[:500].split(",")):
        tag, _, parameter = offer.partition(";")
        known = asked_for(tag)
        weight = _weight(parameter)
        if known and weight > 0:
            offers.append((-weight, place, known))
    return min(offers)[2] if offers else asked_for(default) or "en"


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def choices() -> list[tuple[str, str]]:
    """(tag, its name in itself) of every language there are labels for, default first."""
    return [(tag, _own_name(tag)) for tag in sorted(available(), reverse=True)]


def _own_name(tag: str) -> str:
    name = babel_locale(tag).get_display_name(tag) or tag
    return name[0].upper() + name[1:]
