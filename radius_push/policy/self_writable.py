"""Attributes that people may write in their own entry: no policy may trust them unasked."""

from __future__ import annotations

# Active Directory: a user object's default security descriptor lets SELF write three property sets
# (MS-ADSC, class user, defaultSecurityDescriptor; MS-ADTS, 3.1.1.2.3.3, has their GUIDs): Personal
# Information 77B5B886-..., Phone and Mail Options E45795B2-..., which is empty, and Web Information
# E45795B3-.... Their members are the attributes of MS-ADA1 to MS-ADA3 with that attributeSecurityGUID;
# those that hold keys or pictures are left out.
_ACTIVE_DIRECTORY = (
    "assistant", "c", "facsimileTelephoneNumber", "homePhone", "homePostalAddress", "info",
    "internationalISDNNumber", "ipPhone", "l", "mobile", "otherFacsimileTelephoneNumber", "otherHomePhone",
    "otherIpPhone", "otherMobile", "otherPager", "otherTelephone", "pager", "personalTitle",
    "physicalDeliveryOfficeName", "postalAddress", "postalCode", "postOfficeBox", "preferredDeliveryMethod",
    "primaryInternationalISDNNumber", "primaryTelexNumber", "registeredAddress", "st", "street",
    "streetAddress", "telephoneNumber", "teletexTerminalIdentifier", "telexNumber", "url", "wWWHomePage",
)  # fmt: skip
# OpenLDAP has no default of its own; FreeIPA's rule "User Self service" adds these. It also lets people
# write title, manager, ou, employeeType, description and their names, which are the organisation's own
# elsewhere: docs/how-to/policies.md says so.
_ELSEWHERE = ("carLicense", "gecos", "inetUserHttpURL", "labeledURI", "loginShell", "roomNumber")
_OTHER_NAMES = (
    "countryName", "fax", "homeTelephoneNumber", "localityName", "mobileTelephoneNumber",
    "pagerTelephoneNumber", "stateOrProvinceName",
)  # fmt: skip

_SELF_WRITABLE = frozenset(name.casefold() for name in (*_ACTIVE_DIRECTORY, *_ELSEWHERE, *_OTHER_NAMES))


def self_writable(attribute: str) -> bool:
    """May people write this LDAP attribute of their own entry? Options (`mobile;lang-de`) do not matter."""
    return attribute.partition(";")[0].casefold() in _SELF_WRITABLE
