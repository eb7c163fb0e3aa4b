"""The settings file as `newsletter init` writes it: every key with what it is for. Text; a test reads it back whole."""

from newsletter.settings import providers

TEMPLATE = (
    """# Newsletter: infrastructure only. Sources, newsletters and lists are data: `newsletter apply site.toml`.
# Every key can be overridden by an environment variable, e.g. NEWSLETTER_SENDER__ADDRESS;
# secrets can stand in a file of their own, e.g. NEWSLETTER_TRANSPORT__SMTP__PASSWORD_FILE=/run/secrets/smtp.

data_dir = "data"                       # database, keys, outbox; relative to this file
base_url = "https://newsletter.example.org"   # public pages and every link in the mail stand under it
language = "vi"                         # staff pages and letters to staff: vi or en
timezone = "Asia/Ho_Chi_Minh"
# designs = "designs"                   # a folder of your own designs, looked at before the shipped ones
# database_url = "postgresql://newsletter@localhost/newsletter"   # default: SQLite in data_dir

[sender]
address = "newsletter@example.org"      # its domain is also that of Message-ID and DKIM
name = "Newsletter"
organisation = ""
postal_address = ""                     # shown in the footer of every mail
# reply_to = "editors@example.org"
# bounce_domain = "bounces.example.org" # return paths get a token each, at this domain
# lists = { faculty = "news@faculty.example.org" }   # list -> its own sender; that domain has its own key: docs/dns.md
# unsubscribe_domain = "bounces.example.org" # a mail to u.<token>@ leaves the list; take that mail in: docs/bounces.md

[transport]
kind = "outbox"                         # outbox (.eml files), smtp, or a provider (docs/providers.md)

# [transport.smtp]
# host = "smtp.example.org"
# port = 587
# security = "starttls"                 # starttls, tls or none
# username = "newsletter"
# password = ""                         # better: NEWSLETTER_TRANSPORT__SMTP__PASSWORD_FILE
# connections = 10
# pipelining = true                     # false, or chunking = false: for a server that offers them and fails

# [[transport.smtp.relays]]             # several instead of one: shared by weight; one that fails is passed over
# url = "smtp://user:password@smtp1.example.org:587"   # smtps:// for TLS from the start; or host, port, username …
# weight = 3
# [[transport.smtp.relays]]
# host = "smtp2.example.org"
# username = "newsletter"
# auth = "xoauth2"                      # auto (PLAIN, else LOGIN), plain, login or xoauth2
# secret_file = "smtp2.token"           # the password or token, read at each connection
# weight = 0                            # only while no other answers

"""
    + providers.TEMPLATE
    + """
# [dkim]
# selector = "newsletter"               # `newsletter dkim new` makes a key and prints the DNS record
# key_file = "data/dkim.pem"
# [[dkim.keys]]                         # a second signature, Ed25519, or the key of another domain: docs/dns.md
# selector = "newsletter-ed"
# key_file = "data/dkim-ed.pem"

# [fetch]
# user_agent = "Newsletter/0.1 (+https://example.org/bot)"
# resolve = { "tin.example.org" = "127.0.0.1:8080" }   # the only way to a server on this machine
# pace_seconds = 1.0                    # between two questions to one host; 0 only for a server of your own

[model]                                 # a language model that writes summaries, behind the guard; without url: off
# url = "https://models.example.org/v1" # any endpoint that answers as OpenAI's chat completions do
# name = "the-model"
# api_key = ""                          # better: NEWSLETTER_MODEL__API_KEY_FILE
# timeout = 20                          # seconds for each answer
# For one on this machine: url = "http://model.local/v1", and in [fetch] resolve = { "model.local" = "127.0.0.1:11434" }

# [preflight]                           # what is asked of others when an issue is checked
# links = true                          # are its links and pictures there?
# seconds = 20                          # for all links together; what was not reached in time is said
# spamassassin = true                   # its score, when spamc or spamassassin is installed

# [bounces.imap]                        # a mailbox where bounces arrive; or pipe them: newsletter bounces receive
# host = "imap.example.org"
# username = "bounces"
# password = ""                         # better: NEWSLETTER_BOUNCES__IMAP__PASSWORD_FILE

# [bounces.listen]                      # a mail server of our own for returned mail, within `serve`
# port = 2525
# protocol = "lmtp"                     # "smtp" where the MX record of the bounce domain points here

# [engine]
# processes = 1                         # that send together, each with its connections; for more cores than one

# [retention]                           # after how many days what is let go
# unconfirmed_days = 30                 # sign-ups that nobody confirmed
# left_days = 730                       # people who left every list; unset: kept
# ip_days = 180                         # IP addresses kept with consents, see [web] keep_ip

# [webhooks.postmark]                   # also ses, mailgun, brevo, resend, sendgrid, mailjet, mailersend; docs/bounces.md
# password = "user:password"            # as in the URL: https://user:password@newsletter.example.org/hooks/postmark
# signing = ""                          # the provider's signing secret, where it signs

# [pace]                                # all senders together; without any of these there is no limit: docs/pace.md
# per_second = 14                       # never more in any second; also per_minute, per_hour, per_day
# back_off = true                       # a receiver that says 421 or "too fast" gets half, and slowly more again
# stop_at = 0.01                        # a receiver that blocks more than 1 % in 15 minutes gets nothing for 6 hours
# [pace.groups.gmail]                   # also outlook, yahoo, icloud, gmx, proton, "viettel.example", default
# per_second = 5
# [pace.warmup]                         # a new sending domain: 50 messages on its first day, 100 on the second, …
# on = true
# plan = [50, 100, 200, 400, 800]       # each day on which mail is sent; after the last there is no limit

[web]
host = "127.0.0.1"
port = 8000

[log]
level = "info"
format = "auto"                         # text on a terminal, json otherwise
"""
)
