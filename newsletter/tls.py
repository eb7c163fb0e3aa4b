"""What is wrong with a peer's certificate, in one sentence and with what to do: the same words for SMTP, HTTP and IMAP."""

import ssl

# X509_V_ERR_… of OpenSSL's x509_vfy.h → words, advice
_EARLY, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_ABOVE, _NO_ISSUER, _NO_ISSUER_OF_LEAF, _OTHER_NAME, _OTHER_ADDRESS = (
    9, 10, 18, 19, 20, 21, 62, 64,
)  # fmt: skip
_RENEW = "its operator must renew it; if that was done, is this machine's clock right?"
_NAME = "use the name that stands in it, or have it issued for this one"
_ROOT = "if that is meant, let ca_file name the root that issued it"
_KNOWN = {
    _EARLY: ("its certificate is not valid yet", _RENEW),
    _EXPIRED: ("its certificate has expired", _RENEW),
    _SELF_SIGNED: ("its certificate is not trusted: it vouches for itself", _ROOT),
    _SELF_SIGNED_ABOVE: ("its certificate is not trusted: nobody here knows its root", _ROOT),
    _NO_ISSUER: ("its certificate is not trusted: nobody here knows who issued it", _ROOT),
    _NO_ISSUER_OF_LEAF: ("its certificate is not trusted: nobody here knows who issued it", _ROOT),
    _OTHER_NAME: ("its certificate is for another name", _NAME),
    _OTHER_ADDRESS: ("its certificate is for another address", _NAME),
}


def told(error: Exception) -> tuple[str, str]:
    """(what is wrong, what to do) of a TLS handshake that failed; the advice may be empty."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _KNOWN.get(error.verify_code)
        return known or (f"its certificate is not trusted: {error.verify_message}", "")
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}", "is it a TLS port?"
    return f"TLS failed: {error}", ""


def cause_of(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS failure under an error, if one is."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error
