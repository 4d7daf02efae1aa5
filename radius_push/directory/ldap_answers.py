"""What a server's answer to a bind says about a password."""

from __future__ import annotations

import re
from enum import IntEnum

from radius_push.directory.ldap_connection import Result
from radius_push.model import Down, Proved, Reason, Right, Wrong


class Code(IntEnum):
    """The result codes that mean something to us (RFC 4511, appendix A)."""

    SUCCESS = 0
    SIZE_LIMIT_EXCEEDED = 4
    STRONGER_AUTH_REQUIRED = 8
    CONFIDENTIALITY_REQUIRED = 13
    CONSTRAINT_VIOLATION = 19
    NO_SUCH_OBJECT = 32
    INAPPROPRIATE_AUTHENTICATION = 48
    INVALID_CREDENTIALS = 49
    UNWILLING_TO_PERFORM = 53


_DATA = re.compile(r"\bdata ([0-9a-f]{3,8})\b", re.IGNORECASE)
# Active Directory's reasons are Windows' system error codes, in hexadecimal.
_CLOSED = {
    "530": "not permitted to sign in at this time",
    "531": "not permitted to sign in from this machine",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed first",
    "775": "the account is locked",
}
_WRONG = {"525": "no such user", "52e": "wrong password"}


def what_a_bind_says(result: Result) -> Proved:
    """Right, Wrong, or Down for every code that is not about the person."""
    said = f"{result.message} (result {result.code})"
    match result.code:
        case Code.SUCCESS:
            return Right()
        case Code.INVALID_CREDENTIALS:
            return _invalid_credentials(result.message)
        case Code.CONSTRAINT_VIOLATION | Code.UNWILLING_TO_PERFORM:
            return Wrong(Reason.ACCOUNT_CLOSED, said)
        case Code.NO_SUCH_OBJECT | Code.INAPPROPRIATE_AUTHENTICATION:
            # The entry is gone by now, or has no password.
            return Wrong(detail=said)
        case Code.STRONGER_AUTH_REQUIRED | Code.CONFIDENTIALITY_REQUIRED:
            return Down(f"{said}: the server wants TLS, use ldaps:// or start_tls")
        case _:
            return Down(said)


def _invalid_credentials(message: str) -> Proved:
    found = _DATA.search(message)
    code = found[1].lower() if found else ""
    if code in _CLOSED:
        return Wrong(Reason.ACCOUNT_CLOSED, f"{_CLOSED[code]} (data {code})")
    if code in _WRONG:
        return Wrong(detail=f"{_WRONG[code]} (data {code})")
    return Wrong(detail=message)
