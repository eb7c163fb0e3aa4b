"""Tags of other newsletter programs in a MJML template, translated to ours; the rest is told with its line. Pure.

Known: Mailchimp (*|FNAME|*, mc:edit), listmonk ({{ .Subscriber.Name }}), Keila, Mailtrain and phpList ([FIRST_NAME]). A tag
that cannot be translated becomes a comment in its place: it must never reach a reader, nor break the template. Conditions on a
reader's values cannot be translated at all, for one rendering serves all readers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

FOR_ITEMS = "{% for section in sections %}{% for item in section.items %}"
END_ITEMS = "{% endfor %}{% endfor %}"
_DATE = "{{ format_date(item.published_at) if item.published_at else '' }}"
_OURS: Mapping[str, str] = {
    "email": "{{ subscriber.email }}",
    "first": "{{ subscriber.first_name }}",
    "name": "{{ subscriber.name }}",
    "leave": "{{ unsubscribe_url }}",
    "preferences": "{{ preferences_url }}",
    "web": "{{ web_url or '' }}",
    "confirm": "{{ confirm_url }}",
    "subject": "{{ issue.subject }}",
    "preheader": "{{ issue.preheader }}",
    "day": "{{ format_date(issue.date) }}",
    "year": "{{ issue.date.year }}",
    "organisation": "{{ newsletter.organisation }}",
    "newsletter": "{{ newsletter.name }}",
    "address": "{{ newsletter.postal_address }}",
    "site": "{{ newsletter.url }}",
    "title": "{{ item.title }}",
    "url": "{{ item.url or '' }}",
    "summary": "{{ item.summary }}",
    "author": "{{ item.author or '' }}",
    "source": "{{ item.source }}",
    "date": _DATE,
    "items": FOR_ITEMS,
    "end": END_ITEMS,
    "nothing": "",
}
_MERGE: Mapping[str, str] = {
    **dict.fromkeys(("EMAIL", "MERGE0"), "email"),
    **dict.fromkeys(("FNAME", "MERGE1"), "first"),
    **dict.fromkeys(("NAME", "FULLNAME"), "name"),
    **dict.fromkeys(("UNSUB", "LIST:UNSUB"), "leave"),
    **dict.fromkeys(("UPDATE_PROFILE", "PREFERENCES"), "preferences"),
    **dict.fromkeys(("ARCHIVE", "CAMPAIGN_URL"), "web"),
    **dict.fromkeys(("MC:SUBJECT", "SUBJECT"), "subject"),
    **dict.fromkeys(("MC_PREVIEW_TEXT", "MC:PREVIEW_TEXT"), "preheader"),
    **dict.fromkeys(("LIST:COMPANY", "USER:COMPANY"), "organisation"),
    **dict.fromkeys(("LIST:NAME", "RSSFEED:TITLE", "RSS:TITLE"), "newsletter"),
    **dict.fromkeys(("LIST:ADDRESS", "LIST:ADDRESSLINE", "LIST_ADDRESS_HTML", "HTML:LIST_ADDRESS_HTML"), "address"),
    **dict.fromkeys(("LIST:URL", "RSSFEED:URL", "RSS:URL"), "site"),
    **dict.fromkeys(("RSSITEM:CONTENT", "RSSITEM:CONTENT_FULL"), "summary"),
    **dict.fromkeys(("RSSITEMS:", "RSS:POSTS"), "items"),
    **dict.fromkeys(("END:RSSITEMS", "END:RSS:POSTS"), "end"),
    **dict.fromkeys(("REWARDS", "MC:TRANSLATE"), "nothing"),
    "RSSITEM:TITLE": "title",
    "RSSITEM:URL": "url",
    "RSSITEM:AUTHOR": "author",
    "RSSITEM:DATE": "date",
    "RSSITEM:SOURCE:TITLE": "source",
    "CURRENT_YEAR": "year",
}
_BRACKET: Mapping[str, str] = {
    "EMAIL": "email",
    "FIRST_NAME": "first",
    "FIRSTNAME": "first",
    "LINK_UNSUBSCRIBE": "leave",
    "UNSUBSCRIBEURL": "leave",
    "LINK_PREFERENCES": "preferences",
    "PREFERENCESURL": "preferences",
    "LINK_BROWSER": "web",
    "CONFIRMATIONURL": "confirm",
    "USERTRACK": "nothing",
    "RSS_ENTRY_TITLE": "title",
    "RSS_ENTRY_LINK": "url",
    "RSS_ENTRY_SUMMARY": "summary",
    "RSS_ENTRY_CONTENT": "summary",
    "RSS_ENTRY_DATE": "date",
}
_CURLY: Mapping[str, str] = {
    ".Subscriber.Email": "email",
    ".Subscriber.FirstName": "first",
    ".Subscriber.Name": "name",
    "UnsubscribeURL": "leave",
    "ManageURL": "preferences",
    "MessageURL": "web",
    "OptinURL": "confirm",
    "TrackView": "nothing",
    ".Campaign.Subject": "subject",
    ".Campaign.Name": "subject",
    "Date": "day",
    "RootURL": "site",
    "contact.email": "email",
    "contact.first_name": "first",
    "unsubscribe_link": "leave",
    "public_link": "web",
    "double_opt_in_link": "confirm",
    "subscriber.metadata.first_name": "first",
    "manage_subscription_url": "preferences",
    "email.absolute_url": "web",
    "email.subject": "subject",
}
_ROOTS = re.compile(
    r"(?:subscriber\.(?:email|name|first_name|since|language|timezone|attribs)|newsletter\.|issue\.|item\.|section\.|sections|lead\b|briefs\b|more\b"
    r"|more_url|item_count|option\.|loop\.|unsubscribe_url|preferences_url|confirm_url|web_url|language\b|direction\b"
    r"|format_date|format_number|ngettext|_\()"
)
_TAG = re.compile(
    r"\*\|(?P<merge>[A-Za-z0-9_: .\"'=|$,/-]*?)\|\*"
    r"|\{\{-?\s*(?P<curly>.*?)\s*-?\}\}"
    r"|\[(?P<bracket>[A-Z][A-Z_]+)\]"
    r"|(?P<suffix>@TrackLink\b)"
    r"|(?P<mc>\s+mc:[a-z]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'))?)",
    re.DOTALL,
)
_HTML_ATTRIBUTES = re.compile(r"<mj-html-attributes\b.*?</mj-html-attributes\s*>\s*", re.DOTALL)
_TEXT_OPENS = re.compile(r"<(/?)mj-(?:text|raw|table|button)\b[^>]*>")
_INCLUDE = re.compile(r"(<mj-include\b[^>]*?\bpath\s*=\s*[\"'])([^\"']+\.(?:mjml|html))([\"'])")
CONTENT = {True: "{% include 'parts/content.html.j2' %}", False: "{% include 'parts/content.mjml.j2' %}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Untranslated:
    line: int  # of the file given, from 1
    tag: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    text: str
    translated: int  # tags that now are ours
    left: tuple[Untranslated, ...]


def translate(text: str) -> Translation:
    """`text` with the tags of other programs as ours, line for line."""
    work = _Work(text)
    bare = _HTML_ATTRIBUTES.sub(work.html_attributes, text)
    made = _TAG.sub(lambda match: work.one(match, bare), bare)
    made = _INCLUDE.sub(r"\1\2.j2\3", made)
    return Translation(text=made, translated=work.count, left=tuple(sorted(work.left, key=lambda one: one.line)))


class _Work:
    def __init__(self, text: str) -> None:
        self.count = 0
        self.left: list[Untranslated] = []

    def html_attributes(self, block: re.Match[str]) -> str:
        """The editor's marks go; what says more cannot be kept, and is told."""
        if re.search(r"<mj-html-attribute\s+name=[\"'](?!mc:)", block[0]):
            self._tell(block, block.string, "mj-html-attributes", "mrml cannot do it: write the attribute on HTML")
        else:
            self.count += 1
        return "\n" * block[0].count("\n")

    def one(self, match: re.Match[str], text: str) -> str:
        if match["merge"] is not None:
            return self._known(
                match, text, _MERGE.get(match["merge"].split("|")[0].strip(), ""), _why_merge(match["merge"])
            )
        if match["bracket"] is not None:
            known = _BRACKET.get(match["bracket"])
            return self._known(match, text, known, "") if known else match[0]  # [ABC] may be text
        if match["curly"] is not None:
            return self._curly(match, text)
        self.count += 1  # an editor's mark, or listmonk's sign to follow a link: not needed here
        return ""

    def _curly(self, match: re.Match[str], text: str) -> str:
        inside = match["curly"]
        if _ROOTS.match(inside):
            return match[0]
        link = re.fullmatch(r"TrackLink\s+[\"`']([^\"`']*)[\"`'].*", inside, re.DOTALL)
        if link:
            self.count += 1
            return link[1]
        if re.match(r"template\s+[\"`']content[\"`']", inside):
            self.count += 1
            return CONTENT[_within_text(text, match.start())]
        name = inside.split(" ", 1)[0].split("|")[0].strip()
        own = _ATTRIBUTE.fullmatch(name)
        if own:  # composing refuses it where it is not declared
            self.count += 1
            return "{{ subscriber.attribs." + own[1] + " }}"
        return self._known(match, text, _CURLY.get(name, ""), _why_curly(inside))

    def _known(self, match: re.Match[str], text: str, known: str, why: str) -> str:
        if known:
            self.count += 1
            return _OURS[known]
        self._tell(match, text, match[0], why)
        quiet = re.sub(r"[{}%#<>\"'|*]+", " ", match[0]).strip()
        return "{# not translated: " + " ".join(quiet.split())[:60] + " #}" + "\n" * match[0].count("\n")

    def _tell(self, match: re.Match[str], text: str, tag: str, why: str) -> None:
        line = text.count("\n", 0, match.start()) + 1
        self.left.append(Untranslated(line=line, tag=" ".join(tag.split())[:80], why=why))


def _why_merge(tag: str) -> str:
    if tag.startswith(("IF:", "IFNOT:", "ELSEIF:", "ELSE:", "END:IF")):
        return "a condition per reader: what stands in it is now shown to everybody"
    if tag.startswith(("FEEDBLOCK", "RSSITEM:IMAGE", "FEEDITEM")):
        return "articles come from the newsletter's own sources, pictures as item.image"
    return "nothing here has that meaning"


def _why_curly(inside: str) -> str:
    if re.match(r"(?:if|else|end|range|with|block|define)\b", inside):
        return "Go's control words: what stands between is now shown to everybody"
    if inside.startswith(".Subscriber.Attribs"):
        return "an attribute is named by a-z, 0-9 and _: declare one with `newsletter attribute add`"
    return "nothing here has that meaning"


# A reader's attribute in listmonk and Keila, where its name is one that can be declared here.
_ATTRIBUTE = re.compile(r"(?:\.Subscriber\.Attribs|contact\.data)\.([a-z][a-z0-9]*(?:_[a-z0-9]+)*)")


def _within_text(text: str, at: int) -> bool:
    """Whether the place is inside a component that holds HTML."""
    ends = _TEXT_OPENS.findall(text, 0, at)  # "" for an opening tag, "/" for a closing one
    return bool(ends) and not ends[-1]
