"""The small words of the settings: durations, names, secrets, values of policies.

Each reads the text as written and raises ValueError with the sentence for the admin.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator

from radius_push import notices
from radius_push.dn import fold
from radius_push.model import Required, Secret
from radius_push.policy.values import pattern
from radius_push.settings.mistakes import did_you_mean
from radius_push.shapes import OnLoginAddress, Value

_T = TypeVar("_T")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?")
_DURATION = re.compile(rf"({_NUMBER.pattern})\s*(ms|s|m|h|d)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# Without options (`memberOf;x`): an attribute of that name would never be there, and `none_of` always hold.
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}|[0-9]+(?:\.[0-9]+)+")
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,3})\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{16,128}"
)
_MOST_KIB = 1 << 20
_NO_PASSWORD_CODECS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
_WORDS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


@dataclass(frozen=True, slots=True)
class Written:
    """A secret in the settings themselves."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class FromFile:
    path: str


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    name: str


SecretSource = Written | FromFile | FromEnvironment


def text(value: object) -> str:
    match value:
        case str() if value.strip():
            return value
        case str() | None:
            raise ValueError("is empty")
        case list():
            raise ValueError("must be one text, not a list")
        case _:
            raise ValueError("must be one text, not a mapping")


def line(value: object) -> str:
    found = text(value)
    if len(found) > 200 or not found.isprintable():
        raise ValueError("must be one line of at most 200 characters")
    return found


def name(value: object) -> str:
    found = text(value)
    if not _NAME.fullmatch(found):
        raise ValueError("a name has letters, digits, - and _, begins with a letter or digit, 64 at most")
    return found


def probe_user(value: object) -> str:
    """Folded, as names are compared."""
    found = fold(line(value))
    if len(found.encode()) > 253:
        raise ValueError("is too long: a User-Name holds 253 octets")
    return found


def duration(shortest: float, longest: float) -> Callable[[object], float]:
    def read(value: object) -> float:
        found = text(value).strip()
        parts = _DURATION.fullmatch(found)
        if parts is None:
            if _NUMBER.fullmatch(found):
                raise ValueError(f"a duration needs a unit: {_with_a_unit(found, shortest, longest)}")
            raise ValueError("not a duration; write 500ms, 45s, 10m, 12h or 3d")
        seconds = float(parts[1]) * _UNITS[parts[2]]
        if not shortest <= seconds <= longest:
            raise ValueError(f"must lie between {in_words(shortest)} and {in_words(longest)}")
        return seconds

    return read


def _with_a_unit(number: str, shortest: float, longest: float) -> str:
    """The mend: the number with seconds, or with the first unit that makes it as long as it may be."""
    for unit in ("s", "m", "h", "d", "ms"):
        if shortest <= float(number) * _UNITS[unit] <= longest:
            return f"write {number}{unit} (or {', '.join(each for each in _UNITS if each != unit)})"
    return f"ms, s, m, h or d; and it must lie between {in_words(shortest)} and {in_words(longest)}"


def in_words(seconds: float) -> str:
    """`45s`, `10m`: a duration as the settings write it."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"


def whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        found = text(value)
        if not re.fullmatch(r"[0-9]{1,9}", found) or not least <= int(found) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(found)

    return read


def yes_or_no(value: object) -> bool:
    found = _WORDS.get(text(value).lower())
    if found is None:
        raise ValueError("write yes or no")
    return found


def yes_no_or_auto(value: object) -> Required:
    written = text(value)
    if written.casefold() == "auto":
        return "auto"
    found = _WORDS.get(written.casefold())
    if found is None:
        raise ValueError("write yes, no or auto")
    return "yes" if found else "no"


def only(word: str) -> Callable[[object], bool]:
    def read(value: object) -> bool:
        if text(value) != word:
            raise ValueError(f"takes only the word {word}; leave the key out otherwise")
        return True

    return read


def one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        found = text(value)
        if found not in words:
            raise ValueError(f"must be {' or '.join(words)}{did_you_mean(found, words)}")
        return found

    return read


def on_login_address(value: object) -> OnLoginAddress:
    words: dict[str, OnLoginAddress] = {"allow": "allow", "forbid": "forbid"}
    found = words.get(text(value))
    if found is None:
        raise ValueError(f"must be allow or forbid{did_you_mean(text(value), tuple(words))}")
    return found


def contact(value: object) -> str:
    found = text(value)
    if not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+|https://\S+", found):
        raise ValueError("write mailto:vpn@example.com or an https address")
    return found


def mail_address(value: object) -> str:
    found = notices.mail_address(text(value))
    if found is None:
        raise ValueError("not a mail address; write vpn@example.com, in ASCII and nothing else")
    return found


def mail_word(value: object) -> str:
    """What SMTP can say of who we are: printable ASCII (RFC 4954)."""
    found = line(value)
    if not found.isascii():
        raise ValueError("must be ASCII, as mail servers take no other names")
    return found


def encoding(value: object) -> str:
    found = text(value)
    try:
        codec = codecs.lookup(found)
        "a".encode(codec.name)  # codecs that make no texts (base64, rot13) refuse
    except (LookupError, ValueError):
        codec = None
    if codec is None or codec.name in _NO_PASSWORD_CODECS:
        raise ValueError("not a text encoding that is known; write latin-1, cp1251 or utf-8")
    return codec.name


def fingerprint(value: object) -> str:
    """64 hexadecimal digits in lower case."""
    digits = text(value).lower().removeprefix("sha256:").replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError(
            "not the SHA-256 of a certificate; `openssl x509 -in FILE -noout -fingerprint -sha256` prints it"
        )
    return digits


def attribute(value: object) -> str:
    found = text(value)
    if not _ATTRIBUTE.fullmatch(found):
        raise ValueError("not the name of an attribute: letters, digits, - and _")
    return found


def password_hash(value: object) -> str:
    found = text(value)
    parts = _ARGON2ID.fullmatch(found)
    if parts is None or int(parts[1]) > _MOST_KIB or not int(parts[2]) or not int(parts[3]):
        raise ValueError("not an argon2id hash; `radius-push hash-password` prints one")
    return found


def nt_hash(value: object) -> Secret:
    found = text(value)
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", found):
        raise ValueError("not an NT hash of 32 hex digits; `radius-push hash-password --nt` prints one")
    return Secret(bytes.fromhex(found))


def secret(value: object) -> SecretSource:
    match value:
        case str() if value:
            return Written(Secret(value))
        case {"file": str(path), **more} if not more and path:
            return FromFile(path)
        case {"env": str(variable), **more} if not more and variable:
            return FromEnvironment(variable)
        case str() | None:
            raise ValueError("is empty")
    raise ValueError("write {file: PATH}, {env: NAME} or the secret itself as one text")


def file_path(value: object) -> str:
    """A path, or `{file: PATH}` as secrets have it."""
    match value:
        case {"file": str(path), **more} if not more and path:
            return path
        case dict():
            raise ValueError("write {file: PATH}")
    return text(value)


def reply_text(value: object) -> str:
    found = text(value)
    if len(found.encode()) > 200 or not found.isprintable():
        raise ValueError("must be one line of at most 200 octets, as gateways show no more")
    return found


def day(value: object) -> date:
    found = text(value)
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found):
            raise ValueError
        return date.fromisoformat(found)
    except ValueError:
        raise ValueError("not a day; write 2027-06-30") from None


def value(written: object) -> Value:
    """`IT`, `Eng-*`, `/Ops-(EU|US)/`, or `{exact: "/home/x"}` for what looks like something else."""
    match written:
        case {"exact": str(found), **more} if not more and found:
            return Value("exact", found)
        case dict():
            raise ValueError('write a text, or {exact: "..."} for one that looks like a pattern')
    found = text(written)
    if not found.startswith("/"):
        return Value("wildcard" if "*" in found else "exact", found)
    if len(found) < 3 or not found.endswith("/"):
        raise ValueError(
            "begins like a regular expression and has no end; write /.../, or {exact: ...} for a text"
        )
    regex = Value("regex", found[1:-1])
    pattern(regex, is_dn=False)
    return regex


def _listed(value: object) -> object:
    if value is None:
        raise ValueError("is empty")
    return value if isinstance(value, list) else [value]


OneOrMore = Annotated[tuple[_T, ...], BeforeValidator(_listed), Field(min_length=1)]
"""A list, or its only member without brackets."""
Attribute = Annotated[str, PlainValidator(attribute)]
Contact = Annotated[str, PlainValidator(contact)]
Day = Annotated[date, PlainValidator(day)]
Encoding = Annotated[str, PlainValidator(encoding)]
Fingerprint = Annotated[str, PlainValidator(fingerprint)]
FilePath = Annotated[str, PlainValidator(file_path)]
Line = Annotated[str, PlainValidator(line)]
MailAddress = Annotated[str, PlainValidator(mail_address)]
MailWord = Annotated[str, PlainValidator(mail_word)]
Name = Annotated[str, PlainValidator(name)]
PasswordHash = Annotated[str, PlainValidator(password_hash)]
NtHash = Annotated[Secret, PlainValidator(nt_hash)]
ProbeUser = Annotated[str, PlainValidator(probe_user)]
ReplyText = Annotated[str, PlainValidator(reply_text)]
SecretFrom = Annotated[Any, PlainValidator(secret)]
Text = Annotated[str, PlainValidator(text)]
ValueOf = Annotated[Value, PlainValidator(value)]
YesNo = Annotated[bool, PlainValidator(yes_or_no)]
