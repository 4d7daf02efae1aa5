"""What must hold of every login, written down from the docs (how-to/one-push.md) alone.

It knows nothing of how the server decides, and believes the evidence only where the wire and the phones say
the same. It was tried on servers that were broken on purpose. Found within 7,000 steps, most within 3,000:

    a ticket or a join under other rules       an attempt without person, address, password or group
    a ticket or a follow-on twice              a ticket too late, by another protocol, without a seal
    no mute after a no, or after a time-out    a join beside a request that waits, or no join at all
    the oldest told, or any                    a late yes for the try that was over, or the other way round
    a yes of a phone that was removed          a reply to what was superseded, an accept said again too late
    a second ring                              a packet of before a crash taken for a new one
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from radius_push import events
from radius_push.model import Reason
from radius_push.test_phone import Card
from tests.scenarios.house import ACCEPT
from tests.scenarios.interleaved import World
from tests.scenarios.three_gateways import Heard, Request

MINUTE = 60.0
LATE_WINDOW, LONGER = 30.0, 120.0
LANES = 3
SAID_AGAIN = 30.0
"""Seconds in which the same packet gets the same accept."""
SPARE = 5.0
"""Seconds of a gateway's patience that a phone does not get."""
TWIN = 0.01
"""Seconds that are nothing: two things at one moment may be written in either order."""


@dataclass(eq=False)
class Asked:
    """A question, and what became of it."""

    opener: Request
    at: float
    seconds: int
    """What the rules gave then: whoever is let in by it gets just that."""
    riders: list[Request]
    yes_at: float | None = None
    was_late: bool = False
    device: str = ""
    no_at: float | None = None
    over_at: float | None = None
    """Its newest request was told that nobody answered, and none has joined since."""
    overs: int = 0
    """How often that happened: a yes is for the try of which the card told, and for no later one."""
    gone: bool = False
    """Nobody comes for it any more."""
    let_in: list[Request] = field(default_factory=list)
    let_in_at: float = 0.0
    followed: list[Request] = field(default_factory=list)

    def newest(self, now: float) -> Request | None:
        """The request that is to be told: the last one whose gateway was told nothing and still waits."""
        told = [n for n, each in enumerate(self.riders) if each in self.told_at]
        alive = [r for r in self.riders[max(told, default=-1) + 1 :] if r.until > now + TWIN]
        return alive[-1] if alive else None

    told_at: dict[Request, float] = field(default_factory=dict)

    def bar_ended(self) -> float:
        """Nobody had answered by then. A server that was away says so later."""
        return min(self.over_at or 0.0, max(each.until for each in self.riders) - SPARE)

    def is_open(self, now: float) -> bool:
        """Can a yes to it still let somebody in who joins?"""
        if self.yes_at is not None and self.newest(now) is None:
            return False
        if self.no_at is not None or self.gone or self.let_in or self.was_late:
            return False
        if self.over_at is not None:
            return now < self.over_at + LATE_WINDOW - TWIN
        return True

    def fits(self, request: Request, now: float) -> bool:
        """Is it a retry of this one?"""
        if self.opener.attempt is None or self.opener.attempt != request.attempt:
            return False
        newest = self.newest(now)
        return newest is None or (newest.gateway, newest.port) == (request.gateway, request.port)


class Ledger:
    """Reads what has happened since it last looked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: dict[str, Asked] = {}
        self.accepted: dict[Request, tuple[Asked, str]] = {}
        self.cards: dict[tuple[str, str, int], Card] = {}
        """By question, whether it said that it was late, and of which try it told."""
        self.tapped: set[tuple[str, str, str, str, int]] = set()
        """Device, question, answer, and what the card said of the other two."""
        self.removed: dict[str, float] = {}
        self.seen: Counter[str] = Counter()
        """What has happened how often."""
        self._told = 0
        self._owed: list[tuple[Asked, Request]] = []
        self._heard: dict[Request, int] = {}

    def look(self) -> bool:
        """Has anything happened? Raises AssertionError with what does not hold."""
        before = self._told
        for at, event in self.world.told[self._told :]:
            self.seen[what(event)] += 1
            match event:
                case events.Asked():
                    self._asks(event, at)
                case events.Joined():
                    self._joins(event, at)
                case events.Answered():
                    self._is_answered(event, at)
                case events.Accepted():
                    self._accepts(event, at)
                case events.Rejected(question=str(id)) if event.reason is Reason.TIMED_OUT:
                    self.asked[id].over_at = at
                    self.asked[id].overs += 1
                    self.asked[id].told_at[self._request(event.arrived_at)] = at
                case events.Rejected(question=str(id)):
                    self.asked[id].gone = True
                case events.Abandoned():
                    self.asked[event.question].gone = True
                case events.Unanswered(question=str(id)) if event.reason is Reason.SUPERSEDED:
                    self.asked[id].gone = True
                case events.DeviceRemoved():
                    self.removed[event.device] = at
        self._told = len(self.world.told)
        self._wire()
        self._phones_rang()
        self._nobody_is_forgotten()
        return self._told > before

    def _nobody_is_forgotten(self) -> None:
        """Whoever waits is told of the yes at once, or there is nobody to tell it."""
        for asked, newest in self._owed:
            # Under other settings it is decided again, and a directory that changed is another one.
            other = newest.rules != {self.world.rules} or asked.seconds != self.world.rules[1]
            excused = self.world.dead or newest.has_rivals or other
            assert excused or self._is_in(newest), (
                f"a yes in time, and the newest request was not told: {asked}"
            )
        self._owed.clear()

    # --- what the evidence says ---------------------------------------------------------------------------

    def _asks(self, event: events.Asked, at: float) -> None:
        request = self._request(event.arrived_at)
        self._is_who(request, event)
        same = self._same(request)
        self._no_no_before(request, at, "asks")
        for each in same:
            double = each.is_open(at) and each.fits(request, at) and at < each.at + self._longest(each)
            # Other rules now: a yes to the old question would let it in with other rights.
            assert not (double and each.seconds == self.world.rules[1]), "a retry rang once more"
            over = each.over_at is not None and each.no_at is None and each.yes_at is None and not each.gone
            assert not (over and at < each.bar_ended() + MINUTE - TWIN), "asked again soon after a time-out"
        assert event.question not in self.asked
        request.taken_at = event.arrived_at
        self.asked[event.question] = Asked(request, at, self.world.rules[1], [request])

    def _joins(self, event: events.Joined, at: float) -> None:
        request, asked = self._request(event.arrived_at), self.asked[event.question]
        assert request.attempt is not None, "joined without an address"
        assert request.attempt == asked.opener.attempt, "another attempt joined"
        assert asked.fits(request, at), "joined beside a request that waits"
        assert not asked.let_in, "joined what is over"
        assert asked.seconds == self.world.rules[1], "joined what was asked under other rules"
        self._no_no_before(request, at, "joins")
        assert request not in asked.riders
        request.taken_at = event.arrived_at
        asked.riders.append(request)
        asked.over_at = None

    def _is_answered(self, event: events.Answered, at: float) -> None:
        asked = self.asked[event.question]
        words = {
            (late, tries)
            for device, question, said, late, tries in self.tapped
            if (device, question, said) == (event.device, event.question, event.answer)
        }
        assert words, "an answer that nobody gave"
        phone = next(each for each in self.world.phones if each.enrolled.device == event.device)
        assert phone.enrolled.account == asked.opener.who, "somebody else's phone answered"
        assert self.removed.get(event.device, at) >= at, "a removed phone answered"
        assert asked.yes_at is None, "answered twice"
        assert asked.no_at is None, "answered twice"
        if event.answer == "deny":
            asked.no_at = at
            return
        asked.yes_at, asked.device = at, event.device
        asked.was_late = asked.over_at is not None
        newest = asked.newest(at)
        if not asked.was_late and newest is not None and newest.lives[-1] == self.world.lives:
            self._owed.append((asked, newest))
        assert asked.overs in {tries for _, tries in words}, "a yes to this try became a yes to the next one"
        if asked.was_late:
            assert ("yes", asked.overs) in words, "a yes that did not know that it is for the next try"
            assert at <= (asked.over_at or 0.0) + LATE_WINDOW, "a yes after the late window"

    def _accepts(self, event: events.Accepted, at: float) -> None:
        request = self._request(event.arrived_at)
        self._is_who(request, event)
        assert event.question is not None, "nobody was asked"
        asked = self.asked[event.question]
        assert request not in self.accepted, "one request let in twice"
        own = request is asked.opener
        assert own or (request.attempt is not None and request.attempt == asked.opener.attempt), (
            "another attempt rode along"
        )
        assert dict(event.reply)["Session-Timeout"] == str(asked.seconds), "other rights than were asked for"
        assert asked.seconds == self.world.rules[1], "let in by rules that are no more"
        assert asked.yes_at is not None, "no approval stands behind it"
        assert self.removed.get(asked.device, at) >= at, "its phone was removed"
        self._no_no_before(request, at, "is let in")
        match event.method:
            case "push":
                assert not asked.was_late, "a late yes let in the try that was over"
                assert not asked.let_in, "one approval, two accepts"
                newest = asked.newest(at - 2 * TWIN)
                assert newest is request, "not the newest request was told"
                asked.let_in.append(request)
            case "ticket":
                assert asked.was_late, "no late yes"
                assert not asked.let_in, "a ticket used twice"
                assert event.arrived_at >= asked.yes_at, "a ticket for a request that was there before"
                assert at <= asked.yes_at + MINUTE, "a ticket used too late"
                assert request.proof in {each.proof for each in asked.riders}, "a ticket by another protocol"
                self._may_skip(request, since=asked.yes_at, at=at)
                asked.let_in.append(request)
            case "follow_on":
                assert asked.let_in, "nobody was let in before"
                assert not asked.followed, "a follow-on twice"
                assert at <= asked.let_in_at + request.gateway.follow_on, "no follow-on, or too late"
                self._may_skip(request, since=asked.let_in_at, at=at)
                asked.followed.append(request)
            case other:
                raise AssertionError(f"let in by {other}")
        asked.let_in_at = asked.let_in_at or at
        self.accepted[request] = (asked, event.method)
        asked.told_at[request] = at

    def _may_skip(self, request: Request, *, since: float, at: float) -> None:
        assert request.sealed, "let in without a ring and without a seal"
        for each in self._same(request):
            assert each.no_at is None or not since <= each.no_at < at, "a no had voided it"

    # --- what the wire says -------------------------------------------------------------------------------

    def _wire(self) -> None:
        for request in self.world.requests:
            before = self._heard.get(request, 0)
            for number, heard in enumerate(request.heard[before:], before):
                self._hears(request, heard, request.heard[:number])
            self._heard[request] = len(request.heard)
        by_asked = [asked for request, (asked, _) in self.accepted.items() if self._is_in(request)]
        for asked in self.asked.values():
            assert by_asked.count(asked) <= len(asked.let_in) + len(asked.followed) <= 2

    def _hears(self, request: Request, heard: Heard, before: list[Heard]) -> None:
        assert len(before) < len(request.sent), "more replies than packets"
        assert {each.code for each in before} <= {heard.code}, "told two things"
        for each in before:
            assert each.life != heard.life or each.octets == heard.octets, "a duplicate got other octets"
        if before and heard.code == ACCEPT:
            # By a server that came back it is said anew, and then for as long as every reply.
            since = next((each for each in before if each.life == heard.life), before[0])
            assert heard.at <= since.at + SAID_AGAIN + TWIN, "an accept said again too late"
        if not before:
            # Who asks this very moment has not given up.
            just_asked = heard.at <= request.sent[-1] + TWIN
            assert just_asked or heard.at <= request.until - 1.0, "told after its gateway gave up"
            life, at = request.superseded or (0, 0.0)
            assert life != heard.life or heard.at <= at + TWIN, (
                f"a request that was replaced got a reply: {request}"
            )
        if heard.code == ACCEPT:
            assert request in self.accepted, "an accept that is not in the evidence"
            asked, _ = self.accepted[request]
            assert heard.session_timeout == (str(asked.seconds),)
        for asked in self.asked.values():
            if request in asked.riders:
                asked.told_at.setdefault(request, heard.at)

    @staticmethod
    def _is_in(request: Request) -> bool:
        return any(heard.code == ACCEPT for heard in request.heard)

    # --- what the phones and the store say ----------------------------------------------------------------

    def _phones_rang(self) -> None:
        rang = self.world.rang
        assert len(rang) == len(set(rang)), "a question rang twice"
        assert set(rang) <= self.asked.keys(), "a ring without a question"

    def show(self, card: Card) -> None:
        """A phone shows it now."""
        self.cards[card["id"], card["late"], self.asked[card["id"]].overs] = card

    def tap(self, device: str, card: Card, said: str) -> None:
        """Somebody taps on a card that was shown once."""
        tries = next(tries for (_, _, tries), each in self.cards.items() if each == card)
        self.tapped.add((device, card["id"], said, card["late"], tries))

    def lanes(self, states: dict[str, tuple[str, int, float]]) -> None:
        """State, lane and end of each question, as the store has them."""
        taken: dict[tuple[str, ...], list[int]] = {}
        now = self.world.clock.now()
        for id, (state, lane, until) in states.items():
            attempt = self.asked[id].opener.attempt
            is_open = state in ("pending", "approved") or (state == "late" and until > now)
            if attempt is not None and is_open:
                taken.setdefault(attempt, []).append(lane)
        for lanes in taken.values():
            assert len(lanes) == len(set(lanes)) <= LANES, f"lanes {lanes}"

    # --- what all of them need ----------------------------------------------------------------------------

    def _request(self, arrived_at: float) -> Request:
        return next(
            each
            for each in reversed(self.world.requests)
            if any(abs(at - arrived_at) < 1e-4 for at in each.sent)
        )

    def _is_who(self, request: Request, event: events.Asked | events.Accepted) -> None:
        said = (event.username, event.address, event.client)
        assert said == (request.who, request.address, request.gateway.name)
        assert request.password == self.world.rules[0], "a wrong password"

    def _same(self, request: Request) -> list[Asked]:
        if request.attempt is None:
            return []
        return [each for each in self.asked.values() if each.opener.attempt == request.attempt]

    def _no_no_before(self, request: Request, at: float, does: str) -> None:
        for each in self._same(request):
            if each.no_at is not None and each.no_at + TWIN < request.sent[0]:
                assert at >= each.no_at + MINUTE - TWIN, f"{does} within a minute of a no"

    @staticmethod
    def _longest(asked: Asked) -> float:
        """Seconds that a question lives at most; with less than the last two nobody could answer."""
        return asked.opener.gateway.patience - SPARE + LATE_WINDOW + LONGER - 2.0


def what(event: events.Event) -> str:
    """In a word or two."""
    match event:
        case events.Accepted(method=method):
            return f"let in by {method}"
        case events.Answered(answer=answer, late=late):
            return f"{answer}, late" if late else answer
        case events.Joined(was=was):
            return f"joined, {was}"
        case events.CameBack(state=state):
            return f"came back, {state}"
        case events.Rejected(reason=reason) | events.Unanswered(reason=reason):
            return str(reason)
        case _:
            return type(event).__name__
