"""What comes back by mail: bounces, abuse reports and automatic replies, read from their octets. Pure, no rows.

Walk it in this order: `parts` (MIME within bounds), `notice` (which part is what), `ladder` (whom it is about), `reasons`
(why), `reading` (all together).
"""

from newsletter.mail.bounces.reading import read_returned
from newsletter.mail.bounces.returned import BounceKind, Reason, Returned

__all__ = ["BounceKind", "Reason", "Returned", "read_returned"]
