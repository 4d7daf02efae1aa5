"""What gateways tell of sessions: from the packet to what the store keeps, and only then to an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from radius_push.model import Address, Client
from radius_push.ports import Store
from radius_push.radius import accounting as wire
from radius_push.radius.accounting import AccountingRequest
from radius_push.radius.user_address import user_address
from radius_push.sessions import News, Reset, SessionKey, Status, Traffic
from radius_push.shapes import Limits

MOST_FRAMED = 8
LONGEST_DELAY = 86400
"""Seconds of Acct-Delay-Time that are believed."""
CLOCKS_APART = 900.0
"""Seconds that an Event-Timestamp may lie before the moment that Acct-Delay-Time tells: beyond, the gateway's
clock is wrong (or its time zone is)."""
CLOCK_AHEAD = 60.0
_MOST_INTEGER = 2**63 - 1

STATUSES = {1: Status.START, 2: Status.STOP, 3: Status.INTERIM, 7: Status.ON, 8: Status.OFF}
"""Acct-Status-Type (RFC 2866 5.1); others are answered and not kept."""
_FRAMED = ("Framed-IP-Address", "Framed-IPv6-Address", "Framed-IPv6-Prefix", "Delegated-IPv6-Prefix")


@dataclass(frozen=True, slots=True)
class AccountingArrival:
    """One new Accounting-Request. A retransmission of the same octets is no new arrival."""

    request: AccountingRequest = field(repr=False)
    client: Client
    source: Address
    at: float
    """UTC seconds."""


@dataclass(frozen=True, slots=True)
class NothingToKeep:
    """There is nothing in it that is a session's."""

    counter: str
    sentence: str
    """For the log."""


Note = Callable[[str, str], None]
"""A counter, of a client's name."""
Tell = Callable[[str, str, str], None]
"""The same, and a sentence for the log."""


async def account(
    arrival: AccountingArrival, *, store: Store, note: Note, tell: Tell, limits: Limits, may_open: bool
) -> bool:
    """Keep what it says; on return it is on disk, and may be answered. Raises StoreDown. True: it was one
    more row for all the time that evidence is kept, and not only news of what is there; so it is only if it
    `may_open` such a one."""
    client = arrival.client.name
    packet = memory(arrival)
    match read(arrival):
        case NothingToKeep(counter, sentence):
            tell(counter, client, f"accounting of {client}: {sentence}")
        case Reset() as reset:
            match await store.reset_sessions(reset, packet=packet, may_note=may_open):
                case "repeated":
                    tell("accounting_repeated", client, f"accounting of {client}: {_again(reset.status)}")
                case "too_many_today":
                    tell("too_many_sessions", client, _too_many_today(client, limits))
                case ended:
                    return ended == 0
        case News() as news:
            most = limits.sessions_per_client
            match await store.account(news, packet=packet, most=most, may_open=may_open):
                case "opened":
                    return True
                case "repeated":
                    note("accounting_repeated", client)
                case "old":
                    note("accounting_old", client)
                case "too_many":
                    why = (
                        f"{most} sessions are live already (limits.sessions_per_client): new ones are "
                        "answered and not kept"
                    )
                    tell("too_many_sessions", client, f"accounting of {client}: {why}")
                case "too_many_today":
                    tell("too_many_sessions", client, _too_many_today(client, limits))
    return False


def memory(arrival: AccountingArrival) -> bytes:
    """What the packet is remembered by, 32 octets: two machines may well send the same octets."""
    whose = f"{arrival.client.name}\0{_nas(arrival)}\0"
    return hashlib.sha256(whose.encode() + arrival.request.digest).digest()


def read(arrival: AccountingArrival) -> News | Reset | NothingToKeep:
    """What the gateway tells."""
    request = arrival.request
    number = request.number(wire.STATUS_TYPE)
    status = None if number is None else STATUSES.get(number)
    nas = _nas(arrival)
    at = event_time(request, arrival.at)
    match status:
        case None:
            what = "no Acct-Status-Type" if number is None else f"Acct-Status-Type {number}"
            return NothingToKeep("accounting_not_kept", f"{what}: answered, and not kept")
        case Status.ON | Status.OFF:
            return Reset(arrival.client.name, nas, status, at, arrival.at)
        case _ if request.session is None:
            sentence = f"a {status} without Acct-Session-Id (RFC 2866 5.5): answered, and not kept"
            return NothingToKeep("accounting_not_kept", sentence)
    address = user_address(request.attributes, client=arrival.client, gateway=arrival.source)
    return News(
        key=SessionKey(arrival.client.name, nas, request.session),
        status=status,
        at=at,
        heard_at=arrival.at,
        username=request.username,
        address=None if address is None else str(address.address),
        framed=_framed(request),
        port=_first(request, "NAS-Port-Id", "NAS-Port"),
        cause=_first(request, "Acct-Terminate-Cause"),
        traffic=traffic(request),
    )


def _nas(arrival: AccountingArrival) -> str:
    return arrival.request.nas or str(arrival.source)


def event_time(request: AccountingRequest, arrived_at: float) -> float:
    """When it happened: Event-Timestamp (RFC 2869 5.3) where it can be so, else the arrival less
    Acct-Delay-Time."""
    delay = request.number(wire.DELAY_TIME) or 0
    told = arrived_at - (delay if delay <= LONGEST_DELAY else 0)
    stamp = request.number(wire.EVENT_TIMESTAMP)
    if stamp is not None and told - CLOCKS_APART <= stamp <= arrived_at + CLOCK_AHEAD:
        return float(stamp)
    return told


def traffic(request: AccountingRequest) -> Traffic:
    return Traffic(
        seconds=request.number(wire.SESSION_TIME),
        octets_in=_octets(request, wire.INPUT_OCTETS, wire.INPUT_GIGAWORDS),
        octets_out=_octets(request, wire.OUTPUT_OCTETS, wire.OUTPUT_GIGAWORDS),
        packets_in=request.number(wire.INPUT_PACKETS),
        packets_out=request.number(wire.OUTPUT_PACKETS),
    )


def _octets(request: AccountingRequest, low: int, high: int) -> int | None:
    """32 bits, and how often they were full (RFC 2869 5.1)."""
    octets, gigawords = request.number(low), request.number(high)
    if octets is None and gigawords is None:
        return None
    return min((gigawords or 0) << 32 | (octets or 0), _MOST_INTEGER)


def _framed(request: AccountingRequest) -> tuple[str, ...]:
    return tuple(text for name in _FRAMED for text in request.attributes.get(name, ()))[:MOST_FRAMED]


def _first(request: AccountingRequest, *names: str) -> str | None:
    return next((text for name in names for text in request.attributes.get(name, ())), None)


def _too_many_today(client: str, limits: Limits) -> str:
    return (
        f"accounting of {client}: {limits.sessions_per_day} new sessions within a day "
        "(limits.sessions_per_day): more are answered and not kept, those that are known go on"
    )


def _again(status: Status) -> str:
    return (
        f"the very same Accounting-{status.name.capitalize()} came within the last 24 h: somebody plays it "
        "again, or a machine booted twice and sends no Event-Timestamp. Sessions stay as they are"
    )
