"""A session: what a gateway says of somebody who is in, and what becomes of it with each word of news.

News come late, twice and in the wrong order. What counts is when the gateway says that a thing happened:
`at` is that moment, UTC seconds, as near as it can be told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

LATE = 300.0
"""Seconds by which two gateways' or two packets' times may be apart though they are about the same moment."""


class Status(StrEnum):
    """Acct-Status-Type (RFC 2866 5.1)."""

    START = "start"
    INTERIM = "interim"
    STOP = "stop"
    ON = "on"
    OFF = "off"


EndedBy = Literal["stop", "on", "off", "replaced"]
"""A Stop; a gateway that started or stopped accounting as a whole; or the next session under the same id."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Which session: ids are the gateway's own, and it gives them out again."""

    client: str
    nas: str
    """Which machine of the client: NAS-Identifier, else its address."""
    id: str
    """Acct-Session-Id."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counted so far, from the gateway's side: `octets_in` came from the user. None: it did not say."""

    seconds: int | None = None
    octets_in: int | None = None
    octets_out: int | None = None
    packets_in: int | None = None
    packets_out: int | None = None

    def and_then(self, later: Traffic) -> Traffic:
        """What a later word did not say is what an earlier one said."""
        return Traffic(
            later.seconds if later.seconds is not None else self.seconds,
            later.octets_in if later.octets_in is not None else self.octets_in,
            later.octets_out if later.octets_out is not None else self.octets_out,
            later.packets_in if later.packets_in is not None else self.packets_in,
            later.packets_out if later.packets_out is not None else self.packets_out,
        )


@dataclass(frozen=True, slots=True)
class News:
    """What one Accounting-Request says of one session."""

    key: SessionKey
    status: Literal[Status.START, Status.INTERIM, Status.STOP]
    at: float
    heard_at: float
    """When it reached us."""
    username: str | None = None
    """As the gateway sent it."""
    address: str | None = None
    """The user's own, as the gateway reported it."""
    framed: tuple[str, ...] = ()
    """What the user got inside."""
    port: str | None = None
    cause: str | None = None
    """Acct-Terminate-Cause."""
    traffic: Traffic = Traffic()

    @property
    def began(self) -> float:
        """When the session began, as far as this word tells."""
        return self.at - (self.traffic.seconds or 0)


@dataclass(frozen=True, slots=True)
class Reset:
    """A gateway starts or stops accounting: none of its earlier sessions goes on (RFC 2866 5.1)."""

    client: str
    nas: str
    status: Literal[Status.ON, Status.OFF]
    at: float
    heard_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """One session, live or ended."""

    key: SessionKey
    username: str | None
    address: str | None
    framed: tuple[str, ...]
    port: str | None
    started_at: float
    started_told: bool
    """By a Start; else computed from a later word."""
    heard_at: float
    """The last news, on our clock."""
    traffic: Traffic
    ended_at: float | None = None
    ended_by: EndedBy | None = None
    cause: str | None = None
    login: str | None = None
    """The trace code of the login that it came from, as far as the name tells."""
    person: str | None = None
    """Who that login let in."""


@dataclass(frozen=True, slots=True)
class Became:
    """What one word of news makes of what is known."""

    session: Session
    what: Literal["started", "went_on", "ended", "is_known"]
    is_new: bool = False
    """Not a session that is known, with a change, but another one."""
    closes: Session | None = None
    """The session that had this id before, and of which no Stop came."""


def meet(known: Session | None, news: News) -> Became | None:
    """`known`: the newest session with this key. None: the news are old, and nothing changes."""
    if known is None:
        return _first(news)
    return _of_a_live_one(known, news) if known.ended_at is None else _of_an_ended_one(known, news)


def _first(news: News) -> Became:
    stop = news.status is Status.STOP
    session = Session(
        key=news.key,
        username=news.username,
        address=news.address,
        framed=news.framed,
        port=news.port,
        started_at=news.began,
        started_told=news.status is Status.START,
        heard_at=news.heard_at,
        traffic=news.traffic,
        ended_at=news.at if stop else None,
        ended_by="stop" if stop else None,
        cause=news.cause if stop else None,
    )
    return Became(session, "ended" if stop else "started", is_new=True)


def _of_a_live_one(known: Session, news: News) -> Became | None:
    match news.status:
        case Status.START if _begins_anew(known, news):
            # The Stop of the one before was lost.
            closed = replace(known, ended_at=news.at, ended_by="replaced")
            return replace(_first(news), closes=closed)
        case Status.START if known.started_told:
            return None
        case Status.START:
            return Became(_with_start(known, news), "is_known")
        case Status.INTERIM:
            return Became(_later(known, news), "went_on") if _is_newer(known, news) else None
        case Status.STOP:
            if known.started_told and news.at < known.started_at - LATE:
                return None  # of the session that had this id before
            return Became(_stopped(known, news), "ended")


def _of_an_ended_one(known: Session, news: News) -> Became | None:
    concluded = known.ended_by in ("on", "off") and known.ended_at is not None
    match news.status:
        case Status.START if _begins_anew(known, news):
            return _first(news)
        case Status.START if not known.started_told:
            return Became(_with_start(known, news), "is_known")
        case Status.INTERIM if concluded and news.at > (known.ended_at or 0.0):
            # The gateway itself counts on: that it ended was concluded, and wrongly.
            if (news.traffic.seconds or 0) > (known.traffic.seconds or 0):
                alive = replace(known, ended_at=None, ended_by=None)
                return Became(_later(alive, news), "started")
        case Status.STOP if known.ended_by != "stop" and news.at > known.started_at:
            return Became(_stopped(known, news), "ended")
    return None


def _begins_anew(known: Session, news: News) -> bool:
    """Is this Start not that of `known`, once more or late, but of the next session under its id?"""
    ended_at = known.ended_at or 0.0
    another = None not in (known.username, news.username) and known.username != news.username
    if another or known.ended_by in ("on", "off"):
        return news.at > (ended_at or known.started_at)
    # Where only a Stop told when it began, its Start may come as late as that.
    began = known.started_at if known.started_told or not ended_at else ended_at
    return news.at > max(began + LATE, ended_at)


def _is_newer(known: Session, news: News) -> bool:
    """A word that counts fewer seconds is an older one; one that counts none says when it was said."""
    before, now = known.traffic.seconds, news.traffic.seconds
    if before is not None and now is not None:
        return now > before
    return news.at >= known.started_at - LATE


def _with_start(known: Session, news: News) -> Session:
    """The Start came behind a later word."""
    session = replace(_later(known, news), started_at=news.at, started_told=True)
    return replace(session, traffic=news.traffic.and_then(known.traffic))


def _later(known: Session, news: News) -> Session:
    return replace(
        known,
        username=known.username or news.username,
        address=known.address or news.address,
        framed=news.framed or known.framed,
        port=known.port or news.port,
        heard_at=max(known.heard_at, news.heard_at),
        traffic=known.traffic.and_then(news.traffic),
    )


def _stopped(known: Session, news: News) -> Session:
    return replace(_later(known, news), ended_at=news.at, ended_by="stop", cause=news.cause)
