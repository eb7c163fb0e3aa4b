"""The reasons that stages write into rows, said in the language of whoever reads them. Pure.

Rows keep English, so that logs and `why` speak one language; what is not known here is shown as it stands.
"""

import re

from newsletter.locale import Labels

# (pattern over the whole text, label). Named groups fill the label; one called `rest` is translated again.
_KNOWN = (
    (r"in", "in this issue"),
    (r"nothing new", "nothing new"),
    (r"nothing new yet", "nothing new yet"),
    (r"too late", "approved too late to be sent"),
    (r"not approved before the latest start", "not approved before the latest start"),
    (r"waits for a person's approval", "waits for a person’s approval"),
    (r"missed: its articles go into the next issue", "missed; its articles go into the next issue"),
    (r"missed: nothing ran .*", "missed; nothing was running at the send moment"),
    (r"the issue is (?P<state>\w+), not waiting for approval", "not waiting for approval any more: {state}"),
    (r"the content changed since it was looked at", "the content changed since you looked at it; look again"),
    (r"an issue that is (?P<state>\w+) cannot become \w+", "that is not possible any more: {state}"),
    (r"the mailing is not \w+", "it is not being sent"),
    (r"the issue is not being sent", "it is not being sent"),
    (r"only a mailing that is being sent can be cancelled", "it is not being sent"),
    (r"the issue is not composed yet", "the issue is not composed yet"),
    (
        r"(?P<n>\d+) http: links, first (?P<url>\S+); use https where the site has it",
        "{n} links without https, first {url}; use https where the site has it",
    ),
    (r"(?P<n>\d+) http: pictures, first (?P<url>\S+); use https", "{n} pictures without https, first {url}; use https"),
    (r"does not begin with an https URL; set an https base URL", "the base URL must begin with https"),
    (
        r"has (?P<n>\d+) kB; Gmail hides what is beyond 102 kB, take fewer items",
        "has {n} kB; Gmail hides what is beyond 102 kB, take fewer items",
    ),
    (r"no DKIM signature.*", "the message is not signed (DKIM)"),
    (r"unrendered template syntax: (?P<what>.+)", "template syntax is left in the text: {what}"),
    (r"lacks (?P<n>\d+) of the links in the HTML, first (?P<url>\S+)", "the plain text lacks {n} links, first {url}"),
    (r"the newsletter is paused", "the newsletter is paused"),
    (r"nobody can be chosen: (?P<why>.+)", "it is not known whom to send to: {why}"),
    (r"too late: (?P<rest>.+)", "too late to be sent: {rest}"),
    (r"mail cannot leave: (?P<why>.+)", "mail cannot leave now: {why}"),
    (r"the content or the sender is not what was approved.*", "the content or the sender is not what was approved"),
    (r"cancelled by hand", "cancelled by staff"),
    (r"back to draft by hand", "sent back to draft by staff"),
    (r"cancelled", "cancelled"),
    (r"cancelled while sending", "cancelled while sending"),
    (r"cancelled by staff", "cancelled by staff"),
    (r"back to draft by staff", "sent back to draft by staff"),
    (r"has no summary", "has no summary"),
    (r"left", "left the list"),
    (r"suppressed", "suppressed"),
    (r"no chosen topic", "nothing in it on the topics they chose"),
    (
        r"the design does not mark its items with .*",
        "the design cannot leave items out: who chose topics gets everything",
    ),
    (r"not subscribed", "not subscribed"),
    (r"the sender died after the intent; .*", "the sender died at the last step; the message may have arrived"),
    (r"waits for its turn: mail to this receiver is paced", "waits for its turn: mail to this receiver is paced"),
    (
        r"waits: this receiver blocks our mail, so nothing is sent there for now",
        "waits: this receiver blocks our mail, so nothing is sent there for now",
    ),
    (
        r"waits: what this receiver may get in this time is used up",
        "waits: what this receiver may get in this time is used up",
    ),
    (r"expired: still refused after 48 hours", "still refused after 48 hours"),
    (r"removed from the site file", "removed from the site file"),
    (
        r"paused, because it said twice that it is gone for good: (?P<rest>.+)",
        "paused, because it said twice that it is gone for good: {rest}",
    ),
    (
        r"paused, because it could not be read for (?P<n>\d+) days: (?P<rest>.+)",
        "paused, because it could not be read for {n} days: {rest}",
    ),
    (
        r"(?P<url>\S+): the site's robots\.txt asks programs not to read this page .*",
        "{url}: the site’s robots.txt asks programs not to read this page",
    ),
    (r"already in issue (?P<issue>.+)", "already in issue {issue}"),
    (
        r"(?P<n>\d+) of (?P<all>\d+) entries turned new at once: .*",
        "{n} of {all} entries turned new at once: the source may have renamed its articles",
    ),
    (
        r"most entries were renamed on (?P<day>\S+): .*",
        "the source renamed most articles on {day}: this may be one of them",
    ),
    (
        r"maybe known already: it has the (?:title|very moment) of “(?P<title>.+)”, which is not shown any more, .*",
        "maybe known already as “{title}”, which the source does not show any more",
    ),
    (r"maybe known already: it has .*?“(?P<title>.+)”.*", "maybe known already as “{title}”"),
    (r"backlog of the first run", "was there before the first reading"),
    (r"backlog after (?P<n>\d+) days without a reading", "appeared in {n} days without a reading"),
    (r"no text could be read", "no text could be read"),
    (r"dropped by (?P<who>.+)", "dropped by {who}"),
    (r"only an article held in doubt can be released", "only an article held in doubt can be released"),
    (r"only a held article can be dropped", "only a held article can be dropped"),
    (r"already in another issue", "already in another issue"),
    (
        r"same story as “(?P<title>.+)” \((?P<source>.+)\) in issue (?P<issue>\S+)",
        "same story as “{title}” ({source}) in issue {issue}",
    ),
    (r"same story as “(?P<title>.+)” \((?P<source>.+)\)", "same story as “{title}” ({source})"),
    (r"told apart by staff", "told apart by staff"),
    (r"over the limit of (?P<n>\d+)", "over the limit of {n} items"),
    (r"over the limit of (?P<n>\d+) of (?P<source>.+)", "over the limit of {n} items of {source}"),
    (
        r"in, only on the web: over the limit of (?P<n>\d+) in “(?P<section>.+)”",
        "only on the web: over the limit of {n} items in “{section}”",
    ),
    (r"in, only on the web: over the limit of (?P<n>\d+) in the rest", "only on the web: over the limit of {n} items"),
    (r"in: taken in by (?P<who>.+)", "taken in by {who}"),
    (r"left out by (?P<who>.+)", "left out by {who}"),
    # the rule that gave an item its section
    (r"source (?P<source>.+)", "from the source {source}"),
    (r"topic (?P<topic>.+)", "for the topic “{topic}”"),
    (r"word (?P<word>.+)", "for the word “{word}”"),
    (r"the section of the source (?P<source>.+)", "the section of {source}"),
    (r"no (?:other )?section takes it", "no other section takes it"),
    (r"staff", "section chosen by staff"),
    # what staff do to items
    (r"an item was changed", "an article of it was changed; it is composed again"),
    (r"the article is not in the issue", "the article is not in the issue any more"),
    (r"a picture's address begins with https://", "a picture’s address begins with https://"),
    (r"the article does not bear it out: (?P<rest>.+)", "the article does not bear it out: {rest}"),
    (r"too old: more than (?P<n>\d+) days", "older than {n} days"),
    # the guard's reasons, the way a summary was made, and what an edit is refused for
    (r"figure: (?P<what>.+)", "figure not in the article: {what}"),
    (r"name: (?P<what>.+)", "name not in the article: {what}"),
    (r"quotation: (?P<what>.+)", "quotation not in the article: {what}"),
    (r"length: (?P<n>\d+) of (?P<most>\d+)", "longer than asked: {n} of {most} characters"),
    (r"sentences: (?P<n>\d+) of (?P<most>\d+)", "more sentences than asked: {n} of {most}"),
    (r"length: (?P<n>\d+)", "its length: {n} characters"),
    (r"unfinished", "it does not end like a sentence"),
    (r"markup", "it holds markup or a link"),
    (r"injection|it holds an order to a machine", "it holds an order to a machine"),
    (r"machine", "it speaks like a machine"),
    (r"script", "another script than the article"),
    (r"language", "another language than the article"),
    (r"overlap", "few of its words stand in the article"),
    (r"echo", "it repeats the question"),
    (r"no JSON object with a summary", "no JSON object with a summary"),
    (r"the guard refused its summary: (?P<rest>.+)", "the guard refused its summary: {rest}"),
    (r"no whole sentence to summarise it with", "no whole sentence to summarise it with"),
    (r"it has no text", "it has no text"),
    (r"the model was not used: (?P<rest>.+)", "the model was not used: {rest}"),
    (r"the guard refused its words: (?P<rest>.+)", "the guard refused its words: {rest}"),
    (r"the article holds an order to a machine", "the article holds an order to a machine"),
    (r"it answered (?P<status>\d+)", "it answered {status}"),
    (r"no answer in time|it took too long in all", "it did not answer in time"),
    (r"it asks to wait (?P<n>\d+) s \(429\)", "it asks to wait {n} seconds"),
    (r"the endpoint is left alone for this run[^:]*: (?P<rest>.+)", "left alone for this run: {rest}"),
    (r"its (?P<n>\d+) s are used up", "its {n} seconds are used up"),
    (r"a summary was changed", "a summary was changed; it is composed again"),
    (r"the design was changed", "the design was changed; it is composed again"),
    (r"the intro was changed", "the intro was changed; it is composed again"),
    (r"the article changed after its summary was edited", "the article changed after its summary was edited"),
    (r"goes without its picture: (?P<rest>.+)", "goes without its picture: {rest}"),
    (r"no time was left to fetch it", "no time was left to fetch it; it is fetched when the issue is composed again"),
    (r"its address is not one of the web", "its address is not one of the web"),
    (r"it is too small for its place: (?P<size>.+) pixels", "it is too small for its place: {size} pixels"),
    (r"it is a counting pixel or an icon: (?P<size>.+) pixels", "it is a counting pixel or an icon: {size} pixels"),
    (r"it breaks off", "it breaks off"),
    (r"it is broken", "it is broken"),
    (r"it is a page, no picture", "it is a page, no picture"),
    (
        r"it is a drawing in SVG, which mail programs do not show",
        "it is a drawing in SVG, which mail programs do not show",
    ),
    (
        r"pictures stay with their publishers, because base_url is not https",
        "pictures stay with their publishers, because base_url is not https",
    ),
    (r"there is no text", "there is no text"),
    (r"it has (?P<n>\d+) characters, more than (?P<most>\d+)", "it has {n} characters, more than {most}"),
    (r"it holds characters that cannot be printed", "it holds characters that cannot be printed"),
    (
        r"it holds markup, a link or a mail address; write plain words",
        "it holds markup, a link or a mail address; write plain words",
    ),
    (r"the summary is the machine's already", "the summary is the machine’s already"),
    (
        r"the article or its summary changed meanwhile",
        "the article or its summary changed meanwhile; look again",
    ),
    (r"the article is skipped: (?P<rest>.+)", "the article is skipped: {rest}"),
    (r"preflight found (?P<n>\d+) error\(s\): (?P<detail>.+)", "preflight found {n} errors: {detail}"),
    (r"has the excluded word '(?P<word>.+)'", "has the excluded word “{word}”"),
    (r"has none of the wanted words (?P<words>.+)", "has none of the wanted words {words}"),
    (r"(?P<state>new|ready|held|skipped): (?P<rest>.+)", "{state}: {rest}"),
)


def reason_in(words: Labels, text: str | None) -> str:
    for pattern, label in _KNOWN:
        matched = re.fullmatch(pattern, text or "", re.DOTALL)
        if matched is not None:
            values = {name: _said(words, name, value) for name, value in matched.groupdict().items()}
            return words.gettext(label, **values)
    return text or ""


def _said(words: Labels, name: str, value: str) -> str:
    if name == "rest":  # may be several reasons
        return "; ".join(reason_in(words, part) for part in value.split("; "))
    return words.gettext(value) if name == "state" else value
