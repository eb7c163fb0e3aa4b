"""The only package that stores addresses. Its door: callers use these names and never a submodule.

Every function that reads or writes takes the caller's open `Connection` first, so that a subscription and the letter
it causes commit together; only the import, which commits per batch, opens its own. Times are passed in, aware.
"""

from subscribers.address import Address, parse_address, reveal
from subscribers.audiences import Envelope, NotMailable, audience, envelopes, not_mailable
from subscribers.choices import Subscription, pause, resume, resume_due, subscription
from subscribers.consent import ConsentAction, ConsentGiven, ConsentSource, Evidence
from subscribers.domains import is_disposable, suggestion
from subscribers.errors import (
    ImportProblem,
    InvalidAddress,
    InvalidValue,
    KeyMismatch,
    SubscribersError,
    UnknownList,
    UnknownPerson,
)
from subscribers.exporting import EXPORT_COLUMNS, export_list
from subscribers.ids import PersonId
from subscribers.importing import ImportReport, import_csv
from subscribers.keyed import SuppressionKey, mail_group
from subscribers.lists import List, counts, create_list, get_list, list_lists, update_list
from subscribers.moving import Moved, move
from subscribers.originals import forget_originals, keep_original, originals_of
from subscribers.people import Person, ensure_person, find, person, rename, set_language
from subscribers.prepared import Prepared, listed, one_of
from subscribers.privacy import erase, evidence, export_person, verify_chain
from subscribers.states import NotMailableReason, PersonState, SubscriptionState, SuppressionReason
from subscribers.subscriptions import (
    Confirmed,
    ConfirmOutcome,
    Outcome,
    Subscribed,
    choose_topics,
    confirm,
    subscribe,
    unsubscribe,
)
from subscribers.suppression import address_hash, is_suppressed, lift_bounced, suppress
from subscribers.tables import metadata

__all__ = [  # noqa: RUF022 - grouped by noun
    # the schema, for the one Alembic history, and statements of either half that run for every message
    "Prepared", "listed", "metadata", "one_of",
    # addresses
    "Address", "SuppressionKey", "address_hash", "is_disposable", "mail_group", "parse_address", "reveal", "suggestion",
    # lists
    "List", "counts", "create_list", "get_list", "list_lists", "update_list",
    # people
    "Moved", "Person", "PersonId", "PersonState", "ensure_person", "find", "move", "person", "rename", "set_language",
    # subscriptions and consent
    "ConfirmOutcome", "Confirmed", "ConsentAction", "ConsentGiven", "ConsentSource", "Evidence", "Outcome", "Subscribed",
    "Subscription", "SubscriptionState", "choose_topics", "confirm", "pause", "resume", "resume_due", "subscribe", "subscription",
    "unsubscribe",
    # suppression
    "SuppressionReason", "is_suppressed", "lift_bounced", "suppress",
    # audience and envelopes
    "Envelope", "NotMailable", "NotMailableReason", "audience", "envelopes", "not_mailable",
    # returned mail
    "forget_originals", "keep_original", "originals_of",
    # files
    "EXPORT_COLUMNS", "ImportReport", "export_list", "import_csv",
    # privacy
    "erase", "evidence", "export_person", "verify_chain",
    # errors
    "ImportProblem", "InvalidAddress", "InvalidValue", "KeyMismatch", "SubscribersError", "UnknownList", "UnknownPerson",
]  # fmt: skip
