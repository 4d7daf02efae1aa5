"""A gateway as a script: what it sends where, how long it waits for it, and what it makes of the answer.

A script is a generator. It yields steps; whoever plays it sends back what was heard. So it runs as well on
real sockets as on none.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from radius_push.model import Address, Client, ProofName
from radius_push.radius.preset import Preset
from radius_push.radius.timers import Timers
from radius_push.radius.user_address import as_reported

Answer = Literal["accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a packet, and wait for its answer."""

    packet: int
    """Its number. The same one again is the same octets; another one has an Identifier and a Request
    Authenticator of its own."""
    server: int
    """0 for the first one."""
    socket: int
    """The number of the port that it comes from, which differs from server to server."""
    proof: ProofName
    seconds: float
    """How long to wait at most."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a step."""

    answer: Answer | None
    """None: nothing, for all the seconds of the step."""
    seconds: float
    """How long the step took."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway, set up in one way."""

    timers: Timers
    protocols: tuple[ProofName, ...]
    """One after the other, each after a reject. At least one."""
    servers: int = 1
    """How many it knows; it asks the next one when one was silent."""
    next_after_reject: bool = False
    """It asks the next server after a reject, too."""
    one_socket: bool = False
    """All of its logins come from one port."""


def like(
    preset: Preset, *, factory: bool = False, servers: int = 1, every_protocol: bool = False
) -> Gateway | None:
    """A gateway of that kind, set up as our pages say, or (`factory`) as shipped; None: nobody knows how that
    is. `every_protocol`: after a reject it asks by the next one, if that is known of its kind."""
    timers = preset.factory if factory else preset.timers
    if timers is None:
        return None
    known = timers.protocols or (preset.factory.protocols if preset.factory and every_protocol else ())
    return Gateway(
        timers,
        known or preset.accepts[:1],
        servers=servers,
        next_after_reject=preset.next_after_reject,
        one_socket=preset.one_socket,
    )


def attributes(preset: Preset, timers: Timers, *, address: Address, client: Client) -> list[tuple[str, str]]:
    """What such a gateway says of the login beside name and password: names, and values as text."""
    said = [("NAS-Identifier", f"simulated {preset.name}")]
    if timers.reports_address and preset.user_address:
        name, text = as_reported(address, client=client)
        said.append((name, f"{text}[4500]" if preset.address_with_port else text))
    return said


@dataclass(slots=True)
class _Spent:
    """Of the seconds that a login may take."""

    most: float
    seconds: float = 0.0

    @property
    def all(self) -> bool:
        return self.seconds >= self.most


def log_in(
    gateway: Gateway, *, packets: Iterator[int], socket: int
) -> Generator[Send, Heard, tuple[Answer | None, float]]:
    """One login: how it ended, and after how many seconds. `packets` numbers what is sent."""
    cut_off = gateway.timers.cut_off
    spent, answer = _Spent(math.inf if cut_off is None else cut_off), None
    for proof in gateway.protocols:
        answer = yield from _ask(gateway, proof, packets, socket, spent)
        if answer != "rejected" or spent.all:
            break
    return answer, spent.seconds


def _ask(
    gateway: Gateway, proof: ProofName, packets: Iterator[int], socket: int, spent: _Spent
) -> Generator[Send, Heard, Answer | None]:
    """By one protocol, each server after the one before it."""
    answer: Answer | None = None
    for server in range(gateway.servers):
        first = Send(next(packets), server, socket, proof, 0.0)
        answer = yield from _ask_one(gateway.timers, first, spent)
        over = answer == "accepted" or (answer == "rejected" and not gateway.next_after_reject)
        if over or spent.all:
            break
    return answer


def _ask_one(timers: Timers, packet: Send, spent: _Spent) -> Generator[Send, Heard, Answer | None]:
    """One server, by the same packet each time."""
    for wait in timers.waits():
        heard = yield replace(packet, seconds=min(wait, spent.most - spent.seconds))
        spent.seconds += heard.seconds
        if heard.answer is not None or spent.all:
            return heard.answer
    return None
