"""What domains publish for mail, judged: SPF, DKIM, DMARC, MX, addresses, and whether they agree with what we send.

    wanted.py    what the settings promise: which domains, keys and hosts
    spf.py       an SPF record with everything it includes, counted as RFC 7208 counts
    dmarc.py     the policy of a domain, its organisational domain, alignment
    verdict.py   levels and lines
    examine.py   all of it together, in the order in which it is published

Pure: every function takes an Ask (newsletter/names), so that a test answers from a table.
"""

from newsletter.mail.domains.examine import examine
from newsletter.mail.domains.verdict import Level, Verdict
from newsletter.mail.domains.wanted import Wanted, wanted_of

__all__ = ["Level", "Verdict", "Wanted", "examine", "wanted_of"]
