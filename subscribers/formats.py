"""The exports of other programs, known by their header: where each keeps its states, dates, names, tags and attributes.

Column names are as `fold` leaves them. What a program's export says of a state is read in that program's own words, and
an unknown word rejects its row: of everybody else it is known whether they may be written to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from subscribers.cells import RowFault, State, fold, is_yes
from subscribers.states import NotMailableReason, PersonState, SubscriptionState

ACTIVE, PAUSED, PENDING = SubscriptionState.ACTIVE, SubscriptionState.PAUSED, SubscriptionState.PENDING
LEFT, BOUNCED, COMPLAINED = SubscriptionState.UNSUBSCRIBED, PersonState.BOUNCED, PersonState.COMPLAINED
SUPPRESSED, NOT_SUBSCRIBED = NotMailableReason.SUPPRESSED, NotMailableReason.NOT_SUBSCRIBED


class Row:
    """One row by the names of its columns; "" for what is not there. `file` is the file's own name, folded."""

    __slots__ = ("_fields", "_places", "file")

    def __init__(self, fields: Sequence[str], places: Mapping[str, int], file: str) -> None:
        self._fields, self._places, self.file = fields, places, file

    def __getitem__(self, name: str) -> str:
        place = self._places.get(name)
        return self._fields[place] if place is not None and place < len(self._fields) else ""

    def __contains__(self, name: str) -> bool:
        return name in self._places


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`needs`: the columns one of whose sets must be there. `columns`: their meanings beside the usual names.

    `system`: columns that are of no use elsewhere and not read. All other columns become attributes, named by `key`.
    `sure(row)` is False where an active row does not say that the person agreed or still wants it.
    """

    name: str
    needs: tuple[frozenset[str], ...]
    state: Callable[[Row], State]
    columns: Mapping[str, str] = field(default_factory=dict)
    system: frozenset[str] = frozenset()
    sure: Callable[[Row], bool] = lambda row: True
    key: Callable[[str], str] = lambda name: name


def recognise(folded: Sequence[str]) -> Format | None:
    """The format of a header, or None."""
    there = frozenset(folded)
    return next((one for one in FORMATS for needs in one.needs if needs <= there), None)


def _of(*names: str) -> frozenset[str]:
    return frozenset(" ".join(names).split())


def _word(row: Row, column: str, states: Mapping[str, State]) -> State:
    try:
        return states[fold(row[column])]
    except KeyError:
        raise RowFault("state", f"no known state: use {', '.join(states)}") from None


# ---------------------------------------------------------------- Mailchimp: one file per state, which its columns tell


def _mailchimp(row: Row) -> State:
    if "cleantime" in row:
        return BOUNCED
    if "unsubtime" in row:
        return COMPLAINED if fold(row["unsubreason"]) in ("spam", "abuse") else LEFT
    # Contacts who never joined have no column of their own, only a file.
    return NOT_SUBSCRIBED if row.file.startswith(("nonsubscribed", "transactional")) else ACTIVE


MAILCHIMP = Format(
    name="Mailchimp",
    needs=(_of("emailaddress leid euid"), _of("emailaddress memberrating")),
    state=_mailchimp,
    columns={"optintime": "since", "confirmtime": "confirmed", "unsubtime": "left", "notes": "attributes.note"},
    system=_of(
        "memberrating optinip confirmip latitude longitude gmtoff dstoff cc region lastchanged leid euid",
        "unsubcampaigntitle unsubcampaignid unsubreason unsubreasonother cleantime cleancampaigntitle cleancampaignid",
    ),
    # who never joined has neither time; their file may have been renamed
    sure=lambda row: bool(row["optintime"].strip() or row["confirmtime"].strip()),
)

# ---------------------------------------------------------------- listmonk: says nothing of lists, only of the person


LISTMONK = Format(
    name="listmonk",
    needs=(_of("uuid email attributes status"),),
    state=lambda row: _word(row, "status", {"enabled": ACTIVE, "disabled": PAUSED, "blocklisted": SUPPRESSED}),
    columns={"createdat": "since"},
    system=_of("uuid status updatedat"),
    sure=lambda row: False,  # who left a list, or never confirmed, is "enabled" as well
)

# ---------------------------------------------------------------- Ghost


GHOST = Format(
    name="Ghost",
    needs=(_of("email subscribedtoemails"),),
    state=lambda row: ACTIVE if is_yes(row["subscribedtoemails"]) and not row["deletedat"].strip() else LEFT,
    columns={"createdat": "since", "deletedat": "left", "labels": "tags", "note": "attributes.note"},
    system=_of("id subscribedtoemails complimentaryplan stripecustomerid tiers products importtier giftid"),
)

# ---------------------------------------------------------------- Substack


SUBSTACK = Format(
    name="Substack",
    needs=(_of("email emaildisabled"),),
    state=lambda row: LEFT if is_yes(row["emaildisabled"]) else ACTIVE,
    columns={"createdat": "since", "preferdigests": "attributes.prefer_digests"},
    system=_of("activesubscription expiry emaildisabled stripeconnectedcustomerid type plan"),
)

# ---------------------------------------------------------------- Buttondown

_BUTTONDOWN: Mapping[str, State] = {
    **dict.fromkeys(("regular", "premium", "gifted", "trialed", "churning", "churned", "pastdue", "unpaid"), ACTIVE),
    "paused": PAUSED,
    "unactivated": PENDING,
    "unsubscribed": LEFT,
    "removed": LEFT,
    "undeliverable": BOUNCED,
    "complained": COMPLAINED,
    "blocked": SUPPRESSED,
}
BUTTONDOWN = Format(
    name="Buttondown",
    needs=(_of("email subscribertype"),),
    state=lambda row: _word(row, "subscribertype", _BUTTONDOWN),
    columns={
        "subscriptiondate": "since",
        "unsubscriptiondate": "left",
        "metadata": "attributes",
        "notes": "attributes.note",
    },
    system=_of(
        "id secondaryid subscribertype source referrerurl utmcampaign utmmedium utmsource utmterm utmcontent creationdate",
        "ipaddress avatarurl stripecustomerid lastopendate lastclickdate referralcode churndate riskscore",
    ),
)

# ---------------------------------------------------------------- beehiiv

_BEEHIIV: Mapping[str, State] = {
    "active": ACTIVE,
    "inactive": LEFT,
    "unsubscribed": LEFT,
    "pending": PENDING,
    "validating": PENDING,
    "needsattention": PENDING,
    "invalid": BOUNCED,
}


def _beehiiv(row: Row) -> State:
    state = _word(row, "status", _BEEHIIV)
    return LEFT if state == ACTIVE and row["unsubscribedat"].strip() else state


BEEHIIV = Format(
    name="beehiiv",
    needs=(_of("email status tier createdat"), _of("email status subscriptiontier createdat")),
    state=_beehiiv,
    columns={"createdat": "since", "unsubscribedat": "left"},
    system=_of(
        "id subscriberid status tier subscriptiontier stripecustomerid freetier premiumtier subscriptionpremiumtiernames",
        "utmsource utmmedium utmcampaign utmchannel utmterm utmcontent referringsite referralcode referralcount",
        "subscriptiondatesubstack acquisitionsource device location",
    ),
)

# ---------------------------------------------------------------- Keila

KEILA = Format(
    name="Keila",
    needs=(_of("email firstname lastname status externalid"), _of("email data status externalid")),
    state=lambda row: _word(row, "status", {"active": ACTIVE, "unsubscribed": LEFT, "unreachable": BOUNCED}),
    columns={"data": "attributes", "externalid": "attributes.external_id"},
    system=_of("status"),
)

# ---------------------------------------------------------------- Mailtrain: fields of one's own are MERGE_…

_MAILTRAIN: Mapping[str, State] = {
    "subscribed": ACTIVE,
    "unsubscribed": LEFT,
    "bounced": BOUNCED,
    "complained": COMPLAINED,
}
MAILTRAIN = Format(
    name="Mailtrain",
    needs=(_of("cid status hashemail email"),),
    state=lambda row: _word(row, "status", _MAILTRAIN),
    columns={
        "mergefirstname": "first",
        "mergelastname": "last",
        "mergename": "name",
        "mergelanguage": "language",
        "mergetimezone": "time_zone",
        "tz": "time_zone",
        "created": "since",
        "mergetags": "tags",
    },
    system=_of("cid status hashemail istest optinip optincountry"),
    key=lambda name: name.removeprefix("MERGE_"),
)

# ---------------------------------------------------------------- phpList: sentences for columns, tabs between them


def _phplist(row: Row) -> State:
    if is_yes(row["isthissubscriberblacklisted"]):
        return SUPPRESSED
    if "isthissubscriberconfirmed" in row and not is_yes(row["isthissubscriberconfirmed"]):
        return PENDING
    if fold(row["listmembership"]) == "nolists":
        return NOT_SUBSCRIBED
    return PAUSED if is_yes(row["isthisaccountdisabled"]) else ACTIVE


PHPLIST = Format(
    name="phpList",
    needs=(
        _of("email isthissubscriberblacklisted"),
        _of("email isthissubscriberconfirmed"),
        _of("email listmembership"),
    ),
    state=_phplist,
    columns={"entered": "since", "foreignkey": "attributes.external_id"},
    system=_of(
        "id isthissubscriberconfirmed isthissubscriberblacklisted didthissubscribermanuallyconfirm numberofbounces",
        "lastmodified sendthissubscriberhtmlemails rssfrequency password isthisaccountdisabled additionaldata",
        "listmembership ip changesummary changedetail",
    ),
    sure=lambda row: "isthissubscriberconfirmed" in row and "isthissubscriberblacklisted" in row,
)

FORMATS = (MAILCHIMP, LISTMONK, GHOST, SUBSTACK, BUTTONDOWN, BEEHIIV, KEILA, MAILTRAIN, PHPLIST)
BY_NAME = {fold(one.name): one for one in FORMATS}

# Files of a ZIP whose people must not be mailed come first, so that no other file brings them in.
_NOT_MAILED_FIRST = ("unsub", "clean", "nonsub", "bounce", "complain", "block", "suppress", "optout")


def reading_order(name: str) -> int:
    return 0 if any(word in fold(name) for word in _NOT_MAILED_FIRST) else 1
