"""DKIM (RFC 6376): keys and their records, signing, verifying. Pure; whoever calls reads files and asks the DNS.

keys.py       private keys (RSA, Ed25519), the record each publishes, what a published record says
canonical.py  the relaxed forms and the octets that are signed
signing.py    one or two signatures for each message of a domain
verifying.py  whether they hold; serves our own checks, tests judge with dkimpy
"""

from newsletter.mail.dkim.canonical import parse_tags, relaxed_body, split_headers
from newsletter.mail.dkim.keys import Algorithm, Key, Published, dns_record, new_key, published, record_name, zone_text
from newsletter.mail.dkim.signing import Signer, Signers
from newsletter.mail.dkim.verifying import LookUp, verify

__all__ = [
    "Algorithm",
    "Key",
    "LookUp",
    "Published",
    "Signer",
    "Signers",
    "dns_record",
    "new_key",
    "parse_tags",
    "published",
    "record_name",
    "relaxed_body",
    "split_headers",
    "verify",
    "zone_text",
]
