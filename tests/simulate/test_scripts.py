"""What gateways and people do, read as playbooks: a step, what is heard of it, the next step."""

from __future__ import annotations

import pytest

from radius_push.radius.preset import Preset
from radius_push.radius.presets import PRESETS
from radius_push.radius.timers import Timers
from radius_push.simulate.gateway import Answer, Gateway, Heard, Send, like
from radius_push.simulate.person import Pause, Person, Try, signs_in

Played = tuple[list[Send | Pause], tuple[Try, ...]]
AT_ONCE = 0.5


def play(gateway: Gateway, *answers: Answer | None, person: Person | None = None) -> Played:
    """The steps, and how it ended; each answer comes at once, and no answer takes all of its time. After the
    last of the answers nothing more is heard."""
    script, steps, heard = signs_in(person or Person(), gateway), list[Send | Pause](), iter(answers)
    try:
        step = next(script)
        while True:
            steps.append(step)
            answer = next(heard, None) if isinstance(step, Send) else None
            step = script.send(Heard(answer, step.seconds if answer is None else AT_ONCE))
    except StopIteration as end:
        return steps, end.value


def packets(played: Played) -> list[tuple[int, int]]:
    """Number and server of each datagram."""
    return [(step.packet, step.server) for step in played[0] if isinstance(step, Send)]


def gateway(timers: Timers, *, servers: int = 1, next_after_reject: bool = False) -> Gateway:
    return Gateway(timers, ("pap",), servers=servers, next_after_reject=next_after_reject)


def test_a_try_without_an_answer_sends_the_same_packet_again() -> None:
    played = play(gateway(Timers(3.0, tries=3)))
    assert packets(played) == [(0, 0), (0, 0), (0, 0)]
    assert played[1] == (Try(None, 9.0),)


def test_each_try_is_so_many_times_longer_than_the_one_before() -> None:
    (first, second, third), _ = play(gateway(Timers(2.0, tries=3, growth=1.4)))
    assert [first.seconds, second.seconds, third.seconds] == pytest.approx([2.0, 2.8, 3.92])


def test_an_answer_ends_it() -> None:
    played = play(gateway(Timers(3.0, tries=3)), None, "accepted")
    assert packets(played) == [(0, 0), (0, 0)]
    assert played[1] == (Try("accepted", 3.5),)


def test_silence_sends_a_new_packet_to_the_second_server() -> None:
    played = play(gateway(Timers(3.0, tries=2), servers=2))
    assert packets(played) == [(0, 0), (0, 0), (1, 1), (1, 1)]
    assert played[1] == (Try(None, 12.0),)


def test_a_reject_of_the_first_server_is_the_end_unless_the_gateway_is_of_that_kind() -> None:
    timers = Timers(3.0)
    assert packets(play(gateway(timers, servers=2), "rejected")) == [(0, 0)]
    played = play(gateway(timers, servers=2, next_after_reject=True), "rejected", "accepted")
    assert packets(played) == [(0, 0), (1, 1)]
    assert played[1] == (Try("accepted", 1.0),)


def test_the_cut_off_ends_all_of_it() -> None:
    steps, tries = play(gateway(Timers(10.0, tries=3, cut_off=12.0), servers=2))
    assert [step.seconds for step in steps] == [10.0, 2.0]
    assert tries == (Try(None, 12.0),)


def test_a_gateway_that_speaks_all_protocols_asks_by_the_next_one_after_each_reject() -> None:
    fortigate = like(PRESETS["fortigate"], factory=True)
    assert fortigate is not None
    steps, tries = play(fortigate, "rejected", "rejected", "rejected")
    assert [step.proof for step in steps if isinstance(step, Send)] == ["pap", "ms-chapv2", "chap"]
    assert tries == (Try("rejected", 1.5),)
    as_set = like(PRESETS["fortigate"])
    assert as_set is not None
    assert as_set.protocols == ("pap",)
    variant = like(PRESETS["fortigate"], every_protocol=True)
    assert variant is not None
    assert variant.protocols == fortigate.protocols


def test_silence_is_no_reject_and_tries_no_other_protocol() -> None:
    played = play(Gateway(Timers(5.0), ("pap", "chap")))
    assert packets(played) == [(0, 0)]


def test_portal_and_gateway_are_two_logins_from_ports_of_their_own() -> None:
    twice = gateway(Timers(3.0, logins=2))
    steps, tries = play(twice, "accepted", "accepted")
    assert [(step.packet, step.socket) for step in steps if isinstance(step, Send)] == [(0, 0), (1, 1)]
    assert tries == (Try("accepted", 1.0),)
    assert play(twice, "accepted", "rejected")[1] == (Try("rejected", 1.0),)


def test_who_signs_in_again_does_so_after_a_failure_and_a_pause() -> None:
    person = Person(again=2, pause=4.0)
    steps, tries = play(gateway(Timers(3.0)), None, "accepted", person=person)
    assert [type(step) for step in steps] == [Send, Pause, Send]
    assert steps[1] == Pause(4.0)
    assert tries == (Try(None, 3.0), Try("accepted", 0.5))
    assert len(play(gateway(Timers(3.0)), person=person)[1]) == 3


def test_a_gateway_with_one_socket_keeps_it() -> None:
    strongswan = like(PRESETS["strongswan"])
    assert strongswan is not None
    steps, _ = play(strongswan, person=Person(again=1))
    assert {step.socket for step in steps if isinstance(step, Send)} == {0}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_gateway_set_up_as_the_page_says_waits_as_long_as_its_preset(preset: Preset) -> None:
    assert preset.timers.patience() >= preset.patience
    assert preset.timers.logins == 1
    assert preset.accepts[0] in (preset.timers.protocols or preset.accepts)


def test_what_nobody_knows_is_not_played() -> None:
    assert PRESETS["checkpoint"].factory is None
    assert like(PRESETS["checkpoint"], factory=True) is None
    assert like(PRESETS["checkpoint"]) is not None


def test_strongswan_gives_up_after_14_seconds_as_shipped() -> None:
    factory = PRESETS["strongswan"].factory
    assert factory is not None
    assert round(factory.patience()) == 14
