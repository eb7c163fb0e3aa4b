"""What a check found, said in a language: from a fault to a finding to a sentence. Pure.

A finding keeps its English sentence (logs, `--json`, `inspect message` speak it) and beside it the label it was made
from, so that a page can say the same in its reader's language. Values are never read as a pattern again.
"""

from collections.abc import Mapping

from newsletter.locale import Labels, labels
from newsletter.mail.inspected import Fault, Value
from newsletter.model import Finding


def finding_of(check: str, fault: Fault) -> Finding:
    return Finding(
        check=check,
        level=fault.level,
        where=fault.where,
        message=filled(labels("en"), fault.template, dict(fault.values)),
        template=fault.template,
        values=fault.values,
    )


def told(words: Labels, finding: Finding) -> str:
    """The finding's sentence in the language of `words`; English as it stands when it came without a label."""
    if not finding.template:
        return finding.message
    return filled(words, finding.template, dict(finding.values))


def filled(words: Labels, template: str, values: Mapping[str, Value]) -> str:
    shown = {name: value if isinstance(value, str) else words.format_number(value) for name, value in values.items()}
    return words.gettext(template, **shown)


def place_told(words: Labels, where: str) -> str:
    """`vi: html` → "vi: HTML": the technical places that have a name people use; headers keep theirs."""
    language, colon, place = where.rpartition(": ")
    name = _PLACES.get(place)
    return f"{language}{colon}{words.gettext(name) if name else place}"


def N_(label: str) -> str:
    """gettext's own name for a label that is translated where it is used."""
    return label


_PLACES = {
    "html": N_("HTML part"),
    "text": N_("plain text"),
    "subject": N_("subject"),
    "preheader": N_("preheader"),
    "message": N_("whole message"),
    "headers": N_("mail headers"),
    "body": N_("mail structure"),
    "envelope sender": N_("return address"),
    "links": N_("links"),
    "pictures": N_("pictures"),
    "item": N_("article"),
}
