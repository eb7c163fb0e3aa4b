"""Which known article an entry is, if any. Pure: compares keys, titles and dates; reads and writes nothing.

Folding two articles into one loses the second; taking one for two mails it twice. Where the evidence speaks for neither,
the entry is a new article in doubt, which a person must release. The cases come from feed readers' bug trackers and are
tests by name (tests/collect/identity/test_match.py).
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from newsletter.collect.identity.keys import (
    NO_GUIDS,
    alike,
    exact_key,
    identities,
    last_resort,
    minute_told,
    mistrusted,
    moment_key,
    name_key,
    title_key,
)
from newsletter.model import RawItem, Seen
from newsletter.store.wording import words_hash

LASTMOD = "lastmod"  # the provenance of a date that is a sitemap's last change
_CHANGE_DATES = (LASTMOD, "feed:updated", "feed:modified")  # they say when something was touched, not when it appeared
_BAD_GUIDS = 0.05  # of the entries of one poll: above it FreshRSS stops believing a feed's GUIDs, and so do we
_RENAMED_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item and its names. `keys` and `words` come from the source's own words, never from a fetched page.

    `shared`: keys that other entries of the same poll have too. `page_keys`: what the fetched page adds. `name` and
    `moment` raise doubt and no more.
    """

    item: RawItem
    keys: tuple[str, ...]
    words: str = ""
    shared: tuple[str, ...] = ()
    page_keys: tuple[str, ...] = ()
    name: str | None = None
    moment: str | None = None

    def asked(self) -> tuple[str, ...]:
        """Every key whose owner matters for this entry."""
        return (*self.keys, *self.page_keys, *filter(None, (self.name, self.moment)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`owner`: the article it is; None: a new one. `mistrust`: keys found to name several articles. `doubt`: why not sure."""

    owner: Seen | None = None
    mistrust: tuple[str, ...] = ()
    doubt: str | None = None


# ---------------------------------------------------------------- the entries of one poll


def entries(items: Sequence[RawItem], source_id: str) -> tuple[Candidate, ...]:
    """One candidate per different entry, in order, each with the keys that no other entry of this poll has.

    Feeds exist where all items carry one link (rss2email issue 111) or one GUID (brief issue 428): such a key says
    nothing. An entry left without any key is known by its title and text. The same entry twice is one entry.
    """
    single = _each_once([(item, identities(item, source_id)) for item in items])
    named = [(item, (*keys, *filter(None, [exact_key(item, source_id)]))) for item, keys in single]
    count = Counter(key for _, keys in named for key in keys)
    minutes = Counter(minute_told(item) for item, _ in named)
    alone = frozenset(minute for minute, times in minutes.items() if times == 1)
    return tuple(_candidate(item, keys, count, source_id, alone=alone) for item, keys in named)


def _candidate(
    item: RawItem, keys: tuple[str, ...], count: Mapping[str, int], source_id: str, *, alone: Container[datetime | None]
) -> Candidate:
    """`alone`: minutes at which one entry of this poll was published, and no other."""
    own = tuple(key for key in keys if count[key] == 1)
    timed = minute_told(item) in alone and not _is_change_date(item)
    return Candidate(
        item=item,
        keys=own or (last_resort(item, source_id),),
        words=words_of(item),
        shared=tuple(key for key in keys if count[key] > 1 and key[0] in "gsut"),
        name=name_key(item, source_id),
        moment=moment_key(item, source_id) if timed else None,
    )


def words_of(item: RawItem) -> str:
    """What tells whether the source says something else now; a change date counts as a word."""
    touched = item.published_raw if item.provenance.get("published") == LASTMOD else None
    return words_hash(item.title, item.standfirst, item.text, touched)


_Keyed = tuple[RawItem, tuple[str, ...]]


def _each_once(items: Sequence[_Keyed]) -> list[_Keyed]:
    """Without the repetitions, whose keys go to the first. In time that grows with the feed, not with its square."""
    count = Counter(key for _, keys in items for key in keys)
    single: list[_Keyed] = []
    shown: dict[tuple[object, ...], int] = {}
    for item, keys in items:
        ways = [] if all(count[key] == 1 for key in keys) else _ways(item, keys)
        twin = min((shown[way] for way in ways if way in shown), default=None)
        if twin is None:
            single.append((item, keys))
        else:
            single[twin] = (single[twin][0], tuple(dict.fromkeys([*single[twin][1], *keys])))
        for way in ways:
            shown.setdefault(way, len(single) - 1 if twin is None else twin)
    return single


def _ways(item: RawItem, keys: Sequence[str]) -> list[tuple[object, ...]]:
    """What an entry has in common with one that shows the same article: a name, the title and the date, and nothing that
    tells them apart. Under one GUID, title and address may stand other words: then it is a version."""
    title = title_key(item.title)
    ways: list[tuple[object, ...]] = [(key, title, item.published, words_of(item)) for key in keys if key[0] in "gu"]
    if item.url and item.title:
        ways += [(key, title, item.published) for key in keys if key[0] == "g"]
    return ways


# ---------------------------------------------------------------- against what is known


def matches(found: Sequence[Candidate], known: Mapping[str, Seen]) -> list[Match]:
    """One match per candidate. `known`: the article behind each of `Candidate.asked` that is known, and all marks of mistrust.

    What is sure is settled first: an entry under a known address takes its article, and a weaker claim to the same
    article then shows that the weaker key names two.
    """
    settled: dict[int, Match] = {}
    taken: dict[str, int] = {}
    judge = _Judge(known=known, no_guids=NO_GUIDS in known or _bad_guids(found), taken=taken, span=_span(found))
    for step in (judge.by_address, judge.by_guid, judge.by_title, judge.by_page, judge.by_name, judge.by_moment):
        for n, candidate in enumerate(found):
            if n in settled:
                continue
            match = step(candidate)
            if match is None:
                continue
            settled[n] = match
            if match.owner is not None:
                taken.setdefault(match.owner.id, n)
    return [_marked(candidate, settled.get(n, Match()), judge) for n, candidate in enumerate(found)]


def _marked(candidate: Candidate, match: Match, judge: "_Judge") -> Match:
    """With the keys this poll showed to be no names."""
    marks = [key for key in (*match.mistrust, *candidate.shared) if mistrusted(key) not in judge.known]
    guids = ("g",) if judge.no_guids and NO_GUIDS not in judge.known else ()
    return replace(match, mistrust=tuple(dict.fromkeys([*marks, *guids])))


def _bad_guids(found: Sequence[Candidate]) -> bool:
    """Whether this poll alone shows that the feed's GUIDs name nothing."""
    bad = sum(any(key[0] == "g" for key in candidate.shared) for candidate in found)
    return bad > 1 and bad > _BAD_GUIDS * len(found)


def _span(found: Sequence[Candidate]) -> datetime | None:
    """The oldest publication this poll still shows: what is younger should stand in it."""
    return min((moment_of(c.item.published) for c in found if c.item.published), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """The evidence of one poll. Each step gives a match, or None when it cannot tell."""

    known: Mapping[str, Seen]
    no_guids: bool
    taken: Mapping[str, int]
    span: datetime | None

    def by_address(self, candidate: Candidate) -> Match | None:
        """GUID unknown but URL known is an update; where GUID and URL name two articles, the title decides."""
        url, guid = self._owner(candidate, "u"), self._owner(candidate, "gs")
        if url is None:
            return None
        item, guids = candidate.item, _of_kind(candidate, "gs")
        if guid is not None and guid.id != url.id:
            if alike(item.title, guid.title) and not alike(item.title, url.title):
                return Match(owner=guid, mistrust=_of_kind(candidate, "u"))
            return Match(owner=url, mistrust=guids)
        if guid is None and guids and not self.no_guids and self._says_new(candidate, url):
            return Match(
                doubt=f"a new id, title and date, but the address of “{url.title}”",
                mistrust=_of_kind(candidate, "u"),
            )
        return Match(owner=url)

    def by_guid(self, candidate: Candidate) -> Match | None:
        """A known GUID under a new address is the same article, unless title and date are new too (feedbin issue 604)."""
        owner = self._owner(candidate, "gs")
        if owner is None:
            return None
        guids = _of_kind(candidate, "gs")
        if owner.id in self.taken:  # that article stands in this poll under its own address
            return Match(mistrust=guids)
        if self._says_new(candidate, owner):
            return Match(mistrust=guids)
        undated = candidate.item.published is None or _is_change_date(candidate.item) or owner.published is None
        if undated and not alike(candidate.item.title, owner.title):
            return Match(
                doubt=f"the id of “{owner.title}”, but another title and address, and no date that tells them apart"
            )
        return Match(owner=owner)

    def by_title(self, candidate: Candidate) -> Match | None:
        """All that the entry says of itself is known, or its title on the same day."""
        exact = self._owner(candidate, "p")
        if exact is not None and exact.id not in self.taken:
            return Match(owner=exact)
        for key in _of_kind(candidate, "t"):
            owner = self._trusted(key)
            if owner is not None:
                return self._same_title(candidate, key, owner)
        return None

    def by_page(self, candidate: Candidate) -> Match | None:
        """Where the fetched page is known. Many pages name the front page as canonical: the title must agree."""
        for key in candidate.page_keys:
            owner = self._trusted(key)
            if owner is None or owner.id in self.taken or not candidate.item.title:
                continue
            if key[0] == "t":
                return self._same_title(candidate, key, owner)
            if alike(candidate.item.title, owner.title) and not self._says_new(candidate, owner):
                return Match(owner=owner)
        return None

    def by_name(self, candidate: Candidate) -> Match | None:
        """Nothing but the title is known. Titles come again; but where its article is gone that should still be shown,
        it may have been renamed."""
        owner = self.known.get(candidate.name) if candidate.name else None
        if owner is None or owner.id in self.taken:
            return None
        ours, theirs = candidate.item.published, owner.published
        if ours is not None and theirs is not None and not _is_change_date(candidate.item):
            near = abs(moment_of(ours) - moment_of(theirs)) <= _RENAMED_WITHIN
            shown = self.span is not None and moment_of(theirs) >= self.span
            if not (near and shown):
                return None
        return Match(doubt=f"the title of “{owner.title}”, which is not shown any more, under a new address and id")

    def by_moment(self, candidate: Candidate) -> Match | None:
        """Nothing but the moment of publication is known, and the article of that moment is gone from the list that
        should still show it: it may have got a new title, address and id at once. Of two articles of one minute in one
        poll neither is asked."""
        owner = self.known.get(candidate.moment) if candidate.moment else None
        if owner is None or owner.id in self.taken or owner.published != candidate.item.published:
            return None
        return Match(doubt=f"the very moment of “{owner.title}”, which is not shown any more, under a new title")

    def _same_title(self, candidate: Candidate, key: str, owner: Seen) -> Match:
        if owner.id in self.taken:  # two of one title and day: which of them a third address means, it cannot say
            return Match(mistrust=(key,))
        ours, theirs = candidate.item.published, owner.published
        if isinstance(ours, datetime) and isinstance(theirs, datetime) and ours != theirs:
            return Match(doubt=f"the title and day of “{owner.title}”, but another time, address and id")
        return Match(owner=owner)

    def _says_new(self, candidate: Candidate, owner: Seen) -> bool:
        """Whether title and date say that this is another, later article."""
        item = candidate.item
        if alike(item.title, owner.title) or item.published is None or _is_change_date(item):
            return False
        return owner.published is not None and moment_of(item.published) > moment_of(owner.published)

    def _owner(self, candidate: Candidate, kinds: str) -> Seen | None:
        if self.no_guids and kinds == "gs" and any(map(self._names, _of_kind(candidate, "u"))):
            return None  # without an address of its own a bad GUID is still the best name there is
        found = (self._trusted(key) for key in candidate.keys if key[0] in kinds)
        return next((owner for owner in found if owner is not None), None)

    def _names(self, key: str) -> bool:
        return mistrusted(key) not in self.known

    def _trusted(self, key: str) -> Seen | None:
        return self.known.get(key) if self._names(key) else None


def _of_kind(candidate: Candidate, kinds: str) -> tuple[str, ...]:
    return tuple(key for key in candidate.keys if key[0] in kinds)


def _is_change_date(item: RawItem) -> bool:
    return item.provenance.get("published") in _CHANGE_DATES


def moment_of(published: datetime | date) -> datetime:
    """For comparing; a bare day counts to its end."""
    if isinstance(published, datetime):
        return published
    return datetime.combine(published, time(23, 59), tzinfo=UTC)
