"""What is known of one kind of VPN gateway: data, for the settings and for the page about it."""

from __future__ import annotations

from dataclasses import dataclass

from radius_push.gateway import USER_ADDRESS_ORDER, GroupsIn
from radius_push.model import ProofName, Required
from radius_push.radius.timers import Timers


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of gateway. A client takes from it what the settings do not say themselves."""

    name: str
    title: str
    """What it is called on its box."""
    patience: float
    """Seconds it waits in all, once it is set up as `to_set` says; from its first packet."""
    as_shipped: str
    """How long it waits before anybody sets it up, in words."""
    timers: Timers
    """How it asks once it is set up as `to_set` says."""
    factory: Timers | None
    """How it asks as shipped; None: nobody knows."""
    to_set: tuple[str, ...]
    """What to set there, each in a sentence; Markdown."""
    message_authenticator_mend: str
    """What makes it send a Message-Authenticator: the second half of "no Message-Authenticator: ..."."""
    user_address: tuple[str, ...] = USER_ADDRESS_ORDER
    """Its own attributes with the user's address, in order; `Cisco-AVPair` stands for its `ip:source-ip=`.
    None of its own: empty."""
    groups_in: GroupsIn | None = None
    """Where it looks for groups in an Access-Accept; None: nowhere that is known."""
    speaks: str = "PAP"
    """How its people can prove their password, in words."""
    accepts: tuple[ProofName, ...] = ("pap",)
    """What is taken unless the client says otherwise: what every directory can check, if it speaks it."""
    require_message_authenticator: Required = "yes"
    password_encoding: str = "latin-1"
    challenge: str = "no"
    """Can it show a question (Access-Challenge) and send its answer: `yes`, `no`, or when."""
    append: str = "no"
    """Must a passcode come joined to the password: `no`, or why."""
    follow_on: float = 0.0
    """Seconds after an accept in which its second login follows; 0: it logs in once."""
    comes_twice: str = ""
    """Why one sign-in of a person is two logins here; empty if it is one."""
    second_server: str = "not confirmed"
    """Does it ask a second server while the first is silent, and so ring twice: in words."""
    next_after_reject: bool = False
    """It asks the second server after a reject, too."""
    one_socket: bool = False
    """All of its logins come from one port. Else each is played from a port of its own."""
    address_with_port: bool = False
    """It writes the user's address as `203.0.113.5[4500]`."""
    quirks: tuple[str, ...] = ()
    not_confirmed: tuple[str, ...] = ()
    """What no manual that we read says for certain."""
    tried: str = ""
    """What our tests run of it for real; empty: nothing."""
