"""The only package that stores addresses. Its door: callers use these names and never a submodule.

Every function that reads or writes takes the caller's open `Connection` first, so that a subscription and the letter
it causes commit together; only the import, which commits per batch, opens its own. Times are passed in, aware.
"""

from subscribers.address import Address, parse_address, reveal
from subscribers.attributes import (
    Attribute,
    AttributeType,
    check_attributes,
    check_declaration,
    check_value,
    declare_attribute,
    list_attributes,
    set_attributes,
    value_of,
)
from subscribers.audiences import Envelope, NotMailable, audience, envelopes, not_mailable
from subscribers.browsing import Held, Member, held_by, members, people_page
from subscribers.changes import Change, ChangeKind, take_changes
from subscribers.choices import Subscription, pause, resume, resume_due, subscription
from subscribers.consent import ConsentAction, ConsentGiven, ConsentSource, Evidence, keep_form, kept_form
from subscribers.domains import is_disposable, suggestion
from subscribers.engagement import Engagement, record_engagement, record_sending
from subscribers.errors import (
    ImportProblem,
    InvalidAddress,
    InvalidValue,
    KeyMismatch,
    SegmentFault,
    SubscribersError,
    UnknownList,
    UnknownPerson,
    UnknownSegment,
)
from subscribers.exporting import EXPORT_COLUMNS, FileKind, export_list, write_rows
from subscribers.findings import Concern, Findings
from subscribers.ids import PersonId
from subscribers.importing import ImportReport, import_people
from subscribers.keyed import SuppressionKey, mail_group
from subscribers.lists import List, counts, create_list, get_list, list_lists, update_list
from subscribers.moving import Moved, last_moved, move
from subscribers.originals import forget_originals, keep_original, originals_of
from subscribers.people import Person, ensure_person, find, person, rename, set_language, set_time_zone
from subscribers.prepared import Prepared, listed, one_of
from subscribers.privacy import erase, evidence, export_person, verify_chain
from subscribers.reading import Reading
from subscribers.retention import forget_ips, forget_left, forget_unconfirmed
from subscribers.segments.looking import Sampled, count_mailable, count_segment, names_person, sample_segment
from subscribers.segments.saved import (
    Segment,
    check_query,
    create_segment,
    get_segment,
    list_segments,
    read_segment,
    remove_attribute,
    remove_segment,
    update_segment,
)
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
from subscribers.suppression import (
    DomainRule,
    address_hash,
    domain_rules,
    is_suppressed,
    lift_bounced,
    lift_domain,
    lift_staff,
    suppress,
    suppress_domain,
)
from subscribers.tables import metadata
from subscribers.tags import clean_tags, list_tags, tag, untag

__all__ = [  # noqa: RUF022 - grouped by noun
    # the schema, for the one Alembic history, and statements of either half that run for every message
    "Prepared", "listed", "metadata", "one_of",
    # addresses
    "Address", "SuppressionKey", "address_hash", "is_disposable", "mail_group", "parse_address", "reveal", "suggestion",
    # lists
    "List", "count_mailable", "counts", "create_list", "get_list", "list_lists", "update_list",
    # people
    "Member", "Moved", "Person", "PersonId", "PersonState", "ensure_person", "find", "last_moved", "members", "move",
    "people_page", "person",
    "rename", "set_language", "set_time_zone",
    # what is known of people
    "Attribute", "AttributeType", "check_attributes", "check_declaration",
    "check_value", "clean_tags", "declare_attribute", "list_attributes",
    "list_tags", "remove_attribute", "set_attributes", "tag", "untag", "value_of",
    # subscriptions and consent
    "ConfirmOutcome", "Confirmed", "ConsentAction", "ConsentGiven", "ConsentSource", "Evidence", "Outcome", "Subscribed",
    "Held", "Subscription", "SubscriptionState", "choose_topics", "confirm", "held_by", "keep_form", "kept_form",
    "pause", "resume", "resume_due",
    "subscribe", "subscription", "unsubscribe",
    # suppression
    "DomainRule", "SuppressionReason", "domain_rules", "is_suppressed", "lift_bounced", "lift_domain", "lift_staff",
    "suppress", "suppress_domain",
    # audience and envelopes
    "Envelope", "NotMailable", "NotMailableReason", "audience", "envelopes", "not_mailable",
    # what happened, for whoever must be told
    "Change", "ChangeKind", "take_changes",
    # segments, and what they know of reading
    "Engagement",
    "Sampled", "Segment", "check_query", "count_segment", "create_segment", "get_segment", "list_segments",
    "names_person", "read_segment",
    "record_engagement", "record_sending", "remove_segment", "sample_segment", "update_segment",
    # returned mail
    "forget_originals", "keep_original", "originals_of",
    # files
    "EXPORT_COLUMNS", "Concern", "FileKind", "Findings", "ImportReport", "Reading", "export_list", "import_people", "write_rows",
    # privacy
    "erase", "evidence", "export_person", "forget_ips", "forget_left", "forget_unconfirmed", "verify_chain",
    # errors
    "ImportProblem", "InvalidAddress", "InvalidValue", "KeyMismatch", "SegmentFault", "SubscribersError", "UnknownList",
    "UnknownPerson", "UnknownSegment",
]  # fmt: skip
