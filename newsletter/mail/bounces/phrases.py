"""The words of refusals, by reason. Data only: patterns for one line of lower-case text without addresses.

The first reason that speaks wins: "mailbox unavailable: listed as a spam source" is about the list, not the mailbox.
"""

from collections.abc import Sequence

from newsletter.mail.bounces.returned import Reason

PHRASES: Sequence[tuple[Reason, tuple[str, ...]]] = (
    (
        Reason.MAILER,
        (
            r"procmail|maildrop|\bpipe to\b|x-unix; ?\d|vdelivermail: (?:error|fail)|local delivery fail"
            r"|lock failure",
        ),
    ),
    (
        Reason.USER_UNKNOWN,
        (r"account or domain may not exist|doesn't have an? .{1,40} account|does not have an? .{1,40} account",),
    ),
    (
        Reason.TLS,
        (r"must issue a starttls|does not support tls|tls (?:is )?(?:required|not available)|starttls .{0,30}fail",),
    ),
    (
        Reason.AUTHENTICATION,
        (
            r"\bdmarc\b|\bdkim\b.{0,60}(?:fail|pass|sign)|\bspf\b|sender policy framework|unauthenticated e?mail",
            r"(?:does not|doesn't|lack|without).{0,40}authentication|required authentication level|authenticated by",
            r"sender ?id .{0,30}fail|purported responsible address|email authentication|authentication checks? fail",
        ),
    ),
    (
        Reason.REVERSE_DNS,
        (
            r"reverse[ -]?(?:dns|lookup|name)|\br?dns (?:entry|record)s?\b.{0,40}(?:missing|required|invalid)",
            r"\bptr\b|ip name lookup failed|(?:cannot|can't|unable to) (?:find|resolve) your (?:hostname|ip)",
            r"cannot find your reverse|no r?dns\b|name (?:does not|doesn't) match .{0,20}address",
        ),
    ),
    (
        Reason.VIRUS,
        (r"\bvirus|malware|\binfected\b|\bworm\b|potentially (?:executable|dangerous)|banned (?:file|attachment)",),
    ),
    (
        Reason.REPUTATION,
        (r"reputation|due to .{0,30}user complaints|\bsenderscore\b|poor (?:ip|domain)",),
    ),
    (
        Reason.BLOCKED,
        (
            r"black ?-?list|block ?-?list|deny ?list|\b(?:dns|r)bls?\b|dnsbl|rbl-?plus|spamhaus|spamcop|sorbs",
            r"barracuda",
            r"uceprotect|invaluement|cloudmark|proofpoint|\bbanned\b|(?<!not )listed (?:in|at|on|by) |\(bl\)",
            r"[#-]\w*rbl\b",
            r"(?:client|sender|your) (?:host|ip|server|network|domain|address)[^:]{0,40}(?:rejected|blocked"
            r"|denied|refused)",
            r"\b(?:ip|host|network)(?: address)?s? [^:]{0,50}(?:is )?(?:blocked|not allowed|denied|refused"
            r"|restricted)",
            r"(?:blocked|denied|refused|rejected) [^:(]{0,30}\b(?:ip|ips)\b|bad (?:ip|host|sender) ",
            r"connect(?:ion|ions)? (?:rejected|denied|dropped) (?:by|due|from|for)|blocked by|blocked using",
            r"dynamic(?:ally)? .{0,25}(?:ip|address|host|pool)|dial-?up|residential",
            r"use (?:the|your) .{0,20}(?:isp|smtp server)",
            r"refused to talk to me: (?:5\d\d|421 service)|invalid ip for|too (?:many|much) (?:spam|abuse)",
            r"\baccess denied\b.{0,40}\bip\b|\bmail from .{0,60}(?:blocked|refused)|sending ip|[a-z0-9]{10,}\.\.\.$",
            r"55\d (?:\S+ )?(?:mail |message )?rejected$|service refused|you are not allowed to connect",
            r"connections? (?:is |are )?not accepted|not accept.{0,20}from your",
        ),
    ),
    (
        Reason.SPAM,
        (
            r"\bspam\b|\bspam[ -]|\bjunk\b|\bube\b|\buce\b|unsolicited|\bbulk (?:e-?)?mail\b|\bgtube\b|phish",
            r"spam(?:my)",
            r"(?:message|mail|content).{0,25}(?:scored|identified|detected|classified|looks like)|spamassassin",
            r"rejected by .{0,20}filter",
            r"message content (?:rejected|not accept)|content (?:rejected|restriction)|suspicious|high probability",
        ),
    ),
    (
        Reason.SPEED,
        (
            r"rate (?:that|limit)|rate.?limit|throttl|too many (?:messages|mails|emails|requests)|too (?:fast"
            r"|quickly)",
            r"(?:hourly|daily|sending) .{0,20}(?:limit|quota)|exceeded .{0,30}(?:messages|mails|emails"
            r"|recipients) per",
            r"slow down",
            r"exceeded .{0,20}(?:sending|hourly|daily|rate)|unusual (?:rate|volume)|unexpected volume|message volume",
        ),
    ),
    (
        Reason.CONNECTIONS,
        (
            r"too many (?:concurrent |simultaneous |open )?(?:connections|sessions|recipients|smtp)",
            r"connection (?:rate|limit)",
            r"(?:concurrent|simultaneous|maximum|number of) .{0,20}connections",
            r"max(?:imum)? number of .{0,20}recipients",
        ),
    ),
    (
        Reason.MAILBOX_FULL,
        (
            r"mail ?(?:box|folder|drop|dir)?s?(?: for \S+)?(?: (?:is|are|has|was|size))? (?:now |currently "
            r"|temporarily )?(?:over|full|exceed)",
            r"quota ?(?:is |has been |was )?(?:exceed|full|violation|reached|limit)|over[ -]?(?:\w+ )?quota",
            r"exceed\w* .{0,40}\bquota",
            r"quota|out of storage|(?:insufficient|not enough|no) (?:disk |system |mailbox |more )?(?:space|storage)",
            r"(?:disk|storage|inbox|account|user|drop).{0,20} (?:is )?full\b|too much mail data",
            r"mail storage.{0,25}exceed",
            r"hộp thư .{0,20}đầy|boîte .{0,20}pleine|postfach .{0,15}voll|buzón .{0,15}lleno|casella .{0,15}piena",
            r"mailbox has exceeded|exceeds? .{0,25}(?:mailbox|storage) (?:size|limit|space|capacity)",
            r"mailfolder is full",
        ),
    ),
    (
        Reason.TOO_BIG,
        (
            r"(?:recip|send)sizelimit",
            r"(?:message|mail|size|body|line|data)s? (?:is |was )?(?:too (?:large|big|long)|(?:length |size "
            r"|limit )?exceed)",
            r"exceed\w* .{0,35}(?:message|maximum|fixed|administrative|size).{0,20}(?:size|limit|length)|line limit",
            r"(?:max|maximum) (?:message )?size|larger than|message length|size limit|too big",
        ),
    ),
    (
        Reason.SUSPENDED,
        (
            r"(?:account|mailbox|user|recipient|address|e?mail).{0,45}(?:disabled|suspend|inactive|locked"
            r"|deactivat|frozen|expired|discontinued)",
            r"(?:disabled|suspended|inactive|deactivated|locked|frozen|dormant|blocked) (?:account|mailbox|user"
            r"|recipient|address|due)",
            r"not (?:currently )?active|temporarily locked|is restricted from receiving",
            r"not accepting (?:any )?(?:mail|messages|email)s? right",
            r"account .{0,20}not .{0,10}activ|tài khoản .{0,30}(?:khóa|khoá|ngừng)",
        ),
    ),
    (
        Reason.HAS_MOVED,
        (
            r"has moved|no longer (?:on (?:this )?server|at this|works? (?:here|for)|with (?:us|the company|this))",
            r"not our (?:user|customer)",
            r"has been replaced by|new address|user not local; please try|moved (?:to|permanently)",
        ),
    ),
    (
        Reason.RELAYING,
        (
            r"relay(?:ing)? (?:access |mail |operation |attempt |is )?(?:is |was )?(?:denied|not (?:permitted"
            r"|allowed)|prohibited|rejected|refused|disabled)",
            r"no relaying|(?:unable|not (?:permitted|allowed|authori[sz]ed)|cannot|can't|refus\w*|won't) to relay",
            r"not (?:a|an open) relay|we do not relay",
            r"(?:that |the )?domain (?:isn't|is not|not) (?:in my|in the) (?:list of allowed )?rcpthosts|rcpthosts",
            r"address is not verified",
            r"mail server (?:requires|rejects) .{0,30}relay|relaying (?:to|from|for|mail)|local domain.{0,30}not",
        ),
    ),
    (
        Reason.SECURITY,
        (
            r"authentication (?:required|failed|turned on|is required|error|credentials)|smtp auth",
            r"please (?:turn on|authenticate|log ?in)",
            r"not authenticated|unauthenticated (?:sender|user|sub)|not authori[sz]ed|delivery not authori",
            r"insecure mail|permission denied to",
            r"you must (?:log|auth|be auth)|encryption needed|verification failed|verify sender",
        ),
    ),
    (
        Reason.REJECTED,
        (
            r"not have permission to post|only (?:members|subscribers|authenticated) .{0,20}(?:post|send)|rst\.notauthorized",
            r"sender.{0,40}(?:rejected|denied|refused|invalid|unknown|not exist|not allowed|not accept|verify"
            r"|blocked|address r)",
            r"(?:mail from|from:?|sending).{0,45}(?:domain|address).{0,40}(?:not exist|invalid|unknown"
            r"|not allowed|not found|denied)",
            r"domain of sender|invalid sender|(?:bad|unknown) (?:sender|from)|but sender was rejected|backscatter",
            r"bounce message.{0,30}not",
            r"you are not allowed to send|(?:recipient|user).{0,30}(?:not accept|only accept).{0,40}(?:from|sender)",
            r"not a registered gateway",
            r"return path.{0,40}(?:invalid|not|verif)|null sender|from: domain is invalid|refused due to sender",
        ),
    ),
    (
        Reason.FILTERED,
        (
            r"message filtered|recipient(?:'s)? preferences|filtered by (?:the )?(?:user|recipient|filter)",
            r"rejected by (?:the )?(?:user|recipient)(?! domain|'s)",
            r"(?:due to|because of|by) (?:the )?(?:extended|domain|mail|recipient's?|user's?) .{0,15}(?:filter"
            r"|settings?|inbox rule)",
            r"because the recipient .{0,40}(?:not accept|only)|domain filter|user has blocked|unwanted",
        ),
    ),
    (
        Reason.FORM,
        (
            r"not rfc|rfc ?-?[25]?\d?322|non-compliant|duplicate header",
            r"multiple .{0,12}(?:addresses|headers?|subject|from)|header error",
            r"missing .{0,20}header|invalid .{0,15}header|(?:from|date|message-id) header",
        ),
    ),
    (
        Reason.POLICY,
        (
            r"polic(?:y|ies)|protocol violation|content presents a potential|prohibited|not allowed",
            r"security (?:violation|reasons)|violat",
            r"administrative(?:ly)? (?:prohib|denied|lock)",
            r"(?:message|mail|attachment) (?:was |has been )?(?:blocked|not permitted)|unacceptable",
        ),
    ),
    (
        Reason.CONTENT,
        (
            r"8-?bit data|media error|headers? too (?:large|long)|charset|character set|mime (?:error|type)",
            r"(?:message|mail) format",
            r"improper use|bare lf|malformed (?:mime|message|header)",
            r"(?:mail|message|content) (?:was )?(?:rejected|refused)",
        ),
    ),
    (
        Reason.SYNTAX,
        (r"syntax error|command (?:not|un)|bad sequence|improper sequence|malformed address|invalid command",),
    ),
    (
        Reason.USER_UNKNOWN,
        (
            r"no such (?:user|recipient|mail ?box|address|account|person|name|local|alias)",
            r"(?:unknown|illegal|invalid|bad)\W{1,3}(?:or \w+ )?(?:\w+ )?(?:user|recipient|mail ?box|address"
            r"|account|alias|local)",
            r"(?:user|recipient|mail ?box|address|account|alias|person|member)s?(?:'s"
            r"|\(s\))?\b.{0,80}?\b(?:unknown|not (?:be )?(?:found|known|listed|recogni[sz]ed|valid|registered"
            r"|available|exist)|un-?recogni|does ?n[o']t (?:exist|have)|not have|invalid|unavailable"
            r"|nonexistent|non-existent)",
            r"(?:no|not a|isn't a|is not a|without a?) (?:valid |known |local |such "
            r"|existing )?(?:mail ?box(?:es)?|recipients?|user|account|e?mail address)",
            r"(?:user|recipient|mail ?box|account)(?: address)? (?:has been |was |is )?(?:deleted|closed"
            r"|removed|terminated)",
            r"address (?:error|does not)|not (?:a )?(?:our|known) (?:user|customer)|unrouteable address",
            r"unknown local.?part|bad destination mailbox",
            r"(?:no longer|not) (?:valid|in use|available|exist|active)",
            r"account.{0,30}(?:closed|deleted|terminated|cancel)|account or domain may not exist",
            r"không tồn tại|n'existe pas|existiert nicht|unbekannt|no existe|non esiste",
            r"unable to find .{0,30}(?:user|recipient)|not (?:listed )?in .{0,30}(?:address book|directory)",
            r"recip(?:ient)?notfound|nosuchuser|delivery to this address|there is no one|user not|ユーザ|不存在"
            r"|addressee unknown",
        ),
    ),
    (
        Reason.NOT_ACCEPT,
        (
            r"null ?mx|(?:does not|doesn't|not) (?:accept|receive)\w* (?:any |network |e)?(?:mail|messages)",
            r"smtp protocol returned .{0,20}521",
            r"couldn't find (?:a|any) (?:mail exchanger|host|mx)|no mx (?:record|found)|no mail (?:server|exchanger)",
            r"mail receiving disabled",
        ),
    ),
    (
        Reason.HOST_UNKNOWN,
        (
            r"(?:host|domain)(?: name)?s?(?: \S+)? (?:is |was |does |not |lookup |name )?(?:unknown"
            r"|not (?:be )?(?:found|exist|reachable|resolv)|does ?n[o']t exist|doesn't exist|non-?existent)",
            r"(?:unknown|invalid|no such|unrouteable|illegal|bad) (?:mail )?(?:host|domain)",
            r"domain (?:name )?(?:must resolve|is not reachable|invalid)|host unknown",
            r"\S+ does not exist|nxdomain|unrouteable|recipient domain|unresolvable|name or service not known",
            r"couldn't find any host",
        ),
    ),
    (
        Reason.EXPIRED,
        (
            r"timed? ?-?out|time ?out exceeded|(?:retry|delivery|queue).{0,15}(?:time|limit|expired|exceeded)",
            r"(?:message|envelope|delivery) (?:has )?(?:expired|delay)",
            r"(?:been |too )(?:\w+ )?in (?:the )?queue|too long",
            r"(?:hosts?|connections?|mx|servers?) .{0,25}failing for a long|giving up"
            r"|did ?n[o']t accept our requests",
            r"could not (?:be delivered|deliver) for|not (?:yet )?been delivered|unable to deliver in",
            r"undeliverable for|will (?:be retried|keep trying|retry)|delivery (?:has been|is) delayed",
            r"not delivered within|still being retried",
        ),
    ),
    (
        Reason.NETWORK,
        (
            r"(?:hop|loop)s?\b|too many hops|mail loop|name service|dns (?:error|query|lookup|failure|server)",
            r"host name lookup|lookup fail|no route",
            r"(?:network|connection|socket|route|routing)\b.{0,35}(?:error|fail|unreachable|lost|reset|refused"
            r"|down|aborted|closed)",
            r"unreachable|lost connection",
            r"(?:unable|wasn't able|could not|couldn't|cannot|can't|not) (?:be )?(?:to )?(?:connect|establish"
            r"|contact|reach|find) .{0,25}(?:connection|host|server|domain|smtp)?",
            r"malformed or unexpected name server|connect to \S+: ",
        ),
    ),
    (
        Reason.MAILER,
        (
            r"procmail|maildrop|\bpipe to\b|child process|command (?:failed|died|output)|x-unix; ?\d+",
            r"exit(?:ed)? (?:code|status|with)|local delivery fail",
            r"mailer (?:error|delivery)|lock failure|error while writing|broken pipe|\.forward|unknown mailer error",
        ),
    ),
    (
        Reason.SYSTEM,
        (
            r"(?:system|server|internal|configuration|config|service|local|temporary|lookup|ldap"
            r"|i/o)\b.{0,25}(?:error|problem|failure|unavailable|down|resources)",
            r"try again later|transaction failed|duplicat|multiple retries|temporarily (?:unable|deferred"
            r"|unavailable)",
            r"resources|gr[ae]y ?list|disk|memory|misconfig|write error",
        ),
    ),
)
