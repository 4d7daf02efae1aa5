"""Duplicates as tables: what arrives, when, and what becomes of it (RFC 5080 2.2.2)."""

from __future__ import annotations

import pytest

from radius_push.radius.dedup import Again, Dedup, Full, InFlight, Key, Met, New, Slot, Ticket

SERVER = ("10.0.0.5", 1812)


def key(authenticator: str = "A", digest: str = "1", *, identifier: int = 7, port: int = 5000) -> Key:
    return Key(Slot(("10.0.0.11", port), SERVER, identifier), authenticator.encode(), digest.encode())


def meet(
    dedup: Dedup, key: Key, now: float = 0.0, *, authentic: bool = True, carries_state: bool = False
) -> Met:
    return dedup.arrive(key, now, authentic=authentic, carries_state=carries_state)


def new(dedup: Dedup, key: Key, now: float = 0.0, *, authentic: bool = True) -> Ticket:
    """A new request that is no replay."""
    ticket = arrived(dedup, key, now, authentic=authentic)
    dedup.supersede(ticket)
    return ticket


def arrived(dedup: Dedup, key: Key, now: float = 0.0, *, authentic: bool = True) -> Ticket:
    """One of which nobody knows yet whether it is a replay."""
    met = meet(dedup, key, now, authentic=authentic)
    assert isinstance(met, New)
    return met.ticket


def test_a_retransmission_of_a_held_request_gets_silence() -> None:
    dedup = Dedup()
    new(dedup, key(), 0)
    assert [meet(dedup, key(), now) for now in (3, 6, 9, 300)] == [InFlight()] * 4


def test_a_retransmission_of_an_answered_request_gets_the_identical_octets_for_30_s() -> None:
    dedup = Dedup(hold=30)
    assert dedup.finish(new(dedup, key(), 0), b"accept", 20)
    assert meet(dedup, key(), 20.1) == Again(b"accept")
    assert meet(dedup, key(), 49.9) == Again(b"accept")
    assert isinstance(meet(dedup, key(), 50), New)


@pytest.mark.parametrize(
    "other",
    [
        key(identifier=8),
        key(port=5001),
        Key(Slot(("10.0.0.12", 5000), SERVER, 7), b"A", b"1"),
        Key(Slot(("10.0.0.11", 5000), ("10.0.0.5", 1645), 7), b"A", b"1"),
        key("B"),
    ],
)
def test_every_part_of_the_key_makes_a_request_another_one(other: Key) -> None:
    dedup = Dedup()
    new(dedup, key())
    assert isinstance(meet(dedup, other), New)


def test_silence_with_a_reason_that_may_pass_makes_the_next_packet_a_fresh_try() -> None:
    dedup = Dedup()
    dedup.forget(new(dedup, key(), 0), 1)
    assert isinstance(meet(dedup, key(), 2), New)


def test_after_a_crash_the_key_stays_silent_for_30_s() -> None:
    dedup = Dedup(hold=30)
    dedup.finish(new(dedup, key(), 0), None, 5)
    assert meet(dedup, key(), 6) == InFlight()
    assert meet(dedup, key(), 34.9) == InFlight()
    assert isinstance(meet(dedup, key(), 35), New)


# --- superseding ---------------------------------------------------------------------------------


def test_an_authentic_new_request_under_the_same_identifier_supersedes_the_held_one() -> None:
    dedup = Dedup()
    older, newer = new(dedup, key("A"), 0), arrived(dedup, key("B"), 5)
    assert dedup.supersede(newer) == 1
    assert older.superseded
    assert not newer.superseded
    assert dedup.supersede(newer) == 0


def test_a_request_that_may_be_a_replay_supersedes_nothing() -> None:
    dedup = Dedup()
    older, played = new(dedup, key("A"), 0), arrived(dedup, key("B"), 5)
    dedup.finish(played, None, 6)
    assert dedup.supersede(played) == 0
    assert not older.superseded
    assert dedup.finish(older, b"accept", 7)


def test_a_request_found_to_be_no_replay_supersedes_none_that_came_after_it() -> None:
    dedup = Dedup()
    one, two, three = (arrived(dedup, key(each)) for each in "ABC")
    assert dedup.supersede(two) == 1
    assert dedup.supersede(one) == 0
    assert [each.superseded for each in (one, two, three)] == [True, False, False]
    assert dedup.supersede(three) == 1


def test_a_superseded_request_is_never_answered() -> None:
    dedup = Dedup()
    older, newer = new(dedup, key("A")), new(dedup, key("B"))
    assert not dedup.finish(older, b"accept", 10)
    assert meet(dedup, key("A"), 11) == InFlight()
    assert dedup.finish(newer, b"accept", 12)


def test_a_superseded_request_gets_no_fresh_try_to_supersede_its_successor() -> None:
    dedup = Dedup()
    older, newer = new(dedup, key("A")), new(dedup, key("B"))
    dedup.forget(older, 10)
    assert meet(dedup, key("A"), 11) == InFlight()
    assert not newer.superseded


def test_an_unauthenticated_request_supersedes_nothing_and_is_worked_on_beside() -> None:
    dedup = Dedup()
    older = new(dedup, key("A"))
    newer = new(dedup, key("B"), authentic=False)
    assert not older.superseded
    assert dedup.finish(older, b"one", 1)
    assert dedup.finish(newer, b"two", 1)


def test_an_answered_request_is_not_superseded_any_more() -> None:
    dedup = Dedup()
    dedup.finish(new(dedup, key("A")), b"accept", 1)
    assert dedup.supersede(arrived(dedup, key("B"), 2)) == 0
    assert meet(dedup, key("A"), 3) == Again(b"accept")


def test_another_identifier_or_port_supersedes_nothing() -> None:
    dedup = Dedup()
    older = new(dedup, key("A"))
    new(dedup, key("B", identifier=8))
    new(dedup, key("B", port=5001))
    assert not older.superseded


# --- the same Authenticator ----------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
def test_the_same_authenticator_on_other_octets_is_ignored_without_state(answered: bool) -> None:
    dedup = Dedup()
    older = new(dedup, key("A", "1"))
    if answered:
        dedup.finish(older, b"reply", 0)
    assert meet(dedup, key("A", "2")) == InFlight()
    assert not older.superseded


@pytest.mark.parametrize("answered", [False, True])
def test_the_same_authenticator_on_other_octets_is_new_with_state(answered: bool) -> None:
    """Cisco keeps the Authenticator across a challenge."""
    dedup = Dedup()
    older = new(dedup, key("A", "1"))
    if answered:
        dedup.finish(older, b"challenge", 0)
    assert isinstance(meet(dedup, key("A", "2"), carries_state=True), New)
    assert not older.superseded


def test_a_state_that_anybody_can_add_is_no_way_around_the_authenticator() -> None:
    dedup = Dedup()
    new(dedup, key("A", "1"))
    assert isinstance(meet(dedup, key("A", "2"), carries_state=True, authentic=False), InFlight)


def test_an_authenticator_is_free_again_once_its_requests_are_forgotten() -> None:
    dedup = Dedup(hold=30)
    dedup.finish(new(dedup, key("A", "1"), 0), b"reply", 0)
    assert isinstance(meet(dedup, key("A", "2"), 30), New)


# --- bounds --------------------------------------------------------------------------------------


def test_a_full_house_answers_with_silence_and_still_knows_its_own() -> None:
    dedup = Dedup(most_in_flight=2)
    first = new(dedup, key(identifier=1))
    new(dedup, key(identifier=2))
    assert meet(dedup, key(identifier=3)) == Full(of_owner=False)
    assert meet(dedup, key(identifier=1)) == InFlight()
    dedup.finish(first, b"reply", 0)
    assert isinstance(meet(dedup, key(identifier=3)), New)
    assert dedup.in_flight == 2


def test_memory_is_bounded_by_forgetting_the_oldest_finished_requests() -> None:
    dedup = Dedup(most_in_flight=2, most=4)
    held = new(dedup, key(identifier=0))
    for identifier in range(1, 100):
        dedup.finish(new(dedup, key(identifier=identifier)), b"reply", 0)
        assert len(dedup) <= 4
    assert meet(dedup, key(identifier=99)) == Again(b"reply")
    assert meet(dedup, key(identifier=0)) == InFlight()
    assert not held.finished


def test_nothing_is_kept_of_what_has_expired() -> None:
    dedup = Dedup(hold=30)
    for identifier in range(200):
        ticket = new(dedup, key(identifier=identifier), 0)
        dedup.finish(ticket, b"reply", 0) if identifier % 2 else dedup.forget(ticket, 0)
    dedup.finish(new(dedup, key(identifier=255), 30), None, 30)
    assert len(dedup) == 1
    assert dedup.in_flight == 0


def test_finishing_or_forgetting_twice_changes_nothing() -> None:
    dedup = Dedup()
    ticket = new(dedup, key())
    assert dedup.finish(ticket, b"accept", 1)
    assert not dedup.finish(ticket, None, 2)
    dedup.forget(ticket, 3)
    assert meet(dedup, key(), 4) == Again(b"accept")
    forgotten = new(dedup, key(identifier=9), 4)
    dedup.forget(forgotten, 5)
    assert not dedup.finish(forgotten, None, 6)
    assert isinstance(meet(dedup, key(identifier=9), 7), New)


def test_a_port_that_runs_out_of_identifiers_is_warned_about_once_a_minute() -> None:
    dedup = Dedup()
    warned = []
    for identifier in range(256):
        met = meet(dedup, key(identifier=identifier), identifier / 10)
        assert isinstance(met, New)
        warned += [identifier] if met.crowded else []
    assert warned == [199]
    later = meet(dedup, key("B", identifier=0), 90)
    assert isinstance(later, New)
    assert later.crowded


def test_superseded_requests_leave_the_count_of_their_client_when_they_end() -> None:
    dedup = Dedup(most_of_owner=3)
    tickets = []
    for authenticator in "ABC":
        met = dedup.arrive(key(authenticator), 0, authentic=True, carries_state=False, owner="fw1")
        assert isinstance(met, New)
        dedup.supersede(met.ticket)
        tickets.append(met.ticket)
    assert dedup.in_flight_of("fw1") == 3
    for ticket in tickets:
        dedup.finish(ticket, None, 1)
    assert dedup.in_flight_of("fw1") == dedup.in_flight == 0


def test_a_request_that_comes_again_behind_its_reply_missed_it_and_that_is_told_once() -> None:
    dedup = Dedup(hold=30)
    ticket = new(dedup, key(), 0)
    assert dedup.finish(ticket, b"accept", 20)
    met = meet(dedup, key(), 20.1)
    assert isinstance(met, Again)
    assert met.ticket is ticket
    assert [ticket.missed(now) for now in (20.1, 23.0, 26.0)] == [None, 3.0, None]


def test_only_what_comes_while_it_is_held_is_a_repetition_of_it() -> None:
    dedup = Dedup(hold=30)
    ticket = new(dedup, key(), 0)
    for now in (4, 8):
        meet(dedup, key(), now)
    dedup.finish(ticket, b"reject", 10)
    meet(dedup, key(), 12)
    assert ticket.repeats.tries == 3
