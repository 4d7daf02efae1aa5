"""What a login would come to and why, asked of the same functions that decide a real one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal

from radius_push import credentials, login, policy
from radius_push.deciding import choose
from radius_push.doors import Grounds, Prove
from radius_push.first_factor import first_factor
from radius_push.model import (
    Address,
    Client,
    Person,
    PersonKey,
    ProofName,
    Proved,
    Reason,
    Right,
    Secret,
    Wrong,
)
from radius_push.ports import Directory
from radius_push.radius.asking import CHANCE, respond, write_request
from radius_push.radius.packet import Arrival, Dictionary, MalformedPacket, read_request
from radius_push.shapes import Policy
from radius_push.story import End, Quiet, Refuse, Story

Verdict = Literal["asked", "accepted", "rejected", "unanswered"]
"""The evidence event that a real login would have written first."""


@dataclass(frozen=True, slots=True)
class Phones:
    """What a person has, counted."""

    active: int
    restored: int = 0
    """Those that a backup brought back and nobody has confirmed since."""
    biometrics: int = 0
    """Of the active ones: those with a fingerprint or face that counts."""


PhonesOf = Callable[[PersonKey], Awaitable[Phones | None]]
"""A person's phones; None: there is no store yet, so nobody has one."""


@dataclass(frozen=True, slots=True)
class Explanation:
    story: Story
    """With what each directory and each policy said."""
    person: Person | None = None
    decided_by: Policy | None = None
    """The one that decided."""
    not_looked_at: tuple[str, ...] = ()
    """Policies below the one that decided."""
    choice: policy.Admitted | None = None
    end: End | None = None
    """Why it ends without a question and without an accept."""
    phones: Phones | None = None
    """None: not counted, or there is no store yet."""
    seconds: float = 0.0
    """How long the phones would have."""

    @property
    def profile(self) -> str | None:
        """A profile's name, or `refuse` when a policy says so."""
        if self.choice is not None:
            return self.choice.profile.name
        return self.decided_by.profile if self.decided_by else None

    @property
    def verdict(self) -> Verdict:
        match self.end:
            case Refuse():
                return "rejected"
            case Quiet():
                return "unanswered"
        assert self.choice is not None  # noqa: S101  # one of the two is there: `explain` sees to it
        return "asked" if login.asks_phones(self.choice.profile) else "accepted"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        detail = f": {self.end.detail}" if self.end and self.end.detail else ""
        match self.verdict:
            case "rejected":
                return f"would be refused ({self.end and self.end.reason}){detail}{self._to_be_confirmed}"
            case "unanswered":
                return f"would get no answer ({self.end and self.end.reason}){detail}"
            case "accepted":
                return "would be let in by the password alone"
            case "asked":
                if self.phones is None:
                    return "would be asked on phones once one is enrolled"
                return f"would be asked on {self._phones} for up to {self.seconds:g} s"

    @property
    def _phones(self) -> str:
        assert self.phones is not None  # noqa: S101  # they were counted
        assert self.choice is not None  # noqa: S101  # it says that they are asked
        asked = _count(self.phones.active, "phone")
        if not login.asks_biometrics(self.choice.profile):
            return asked
        return f"{asked} ({self.phones.biometrics} with the fingerprint or face that it takes)"

    @property
    def _to_be_confirmed(self) -> str:
        waiting = self.phones.restored if self.phones else 0
        if not waiting:
            return ""
        verb = "waits" if waiting == 1 else "wait"
        return f"; {_count(waiting, 'phone')} {verb} for `radius-push devices confirm ID`"


def imagine(
    username: str,
    *,
    client: Client,
    attributes: Iterable[tuple[str, str]],
    password: Secret | None,
    proof: ProofName = "pap",
    at: float,
    dictionary: Dictionary,
) -> Arrival:
    """The packet that this gateway would send, written and read as on the wire. Nothing is sent.

    Without a password there is none of `proof` in it. `at` is UTC seconds. ValueError says what no packet can
    hold.
    """
    response = None
    if password is not None:
        response = respond(proof, username=username, password=password, chance=bytes(CHANCE))
    try:
        datagram = write_request(
            identifier=0,
            authenticator=bytes(16),  # hides nothing from anybody: it never leaves this process
            secret=client.secrets[0],
            username=username,
            password=password if response is None else None,
            response=response,
            attributes=attributes,
            message_authenticator=client.require_message_authenticator != "no",
            dictionary=dictionary,
        )
        request = read_request(datagram, client=client, dictionary=dictionary)
    except MalformedPacket as problem:
        raise ValueError(str(problem)) from None
    return Arrival(
        request=request,
        client=client,
        source=_where(client),
        source_port=0,
        login="",
        at=at,
        started=0.0,
        packet=bytes(32),
        superseded=lambda: False,
    )


def _where(client: Client) -> Address:
    """From where it would come; one that is known by its certificate alone comes from anywhere."""
    known = client.networks or (client.certificate.networks if client.certificate else ())
    return known[0].network_address if known else ip_address("0.0.0.0")  # noqa: S104  # nothing listens there


async def explain(
    arrival: Arrival, grounds: Grounds, *, phones_of: PhonesOf, proof: ProofName = "pap"
) -> Explanation:
    """Walk as `login.log_in` does, up to the first thing that would be written or sent.

    Without a proof in the packet one of the kind `proof` is taken as right, if this person can be proved so;
    with one, the directory is asked, once.
    """
    told = Explanation(login.begin(arrival))
    if credentials.is_probe(arrival):
        return replace(told, end=Refuse(Reason.PROBE_USER))
    if not arrival.request.username:
        return replace(told, end=Refuse(Reason.NO_USERNAME))
    prove = _proving(arrival, grounds, taken=proof)
    if isinstance(prove, Refuse | Quiet):
        return replace(told, end=prove)

    story, person = await first_factor(told.story, grounds, prove)
    told = replace(told, story=story, person=story.person)
    if not isinstance(person, Person):
        return replace(told, end=person)

    story, choice = choose(story, person, grounds)
    told = _with_policies(replace(told, story=story), grounds.rules)
    if not isinstance(choice, policy.Admitted):
        return replace(told, end=choice)

    told = replace(told, choice=choice)
    if not login.asks_phones(choice.profile):
        return told
    phones = await phones_of(person.key)
    if phones is not None and not phones.active:
        return replace(told, phones=phones, end=Refuse(Reason.NOT_ENROLLED, "no device"))
    if phones is not None and login.asks_biometrics(choice.profile) and not phones.biometrics:
        return replace(told, phones=phones, end=login.no_biometrics(choice.profile))
    return replace(told, phones=phones, seconds=login.bar(arrival.client, choice.profile))


def _proving(arrival: Arrival, grounds: Grounds, *, taken: ProofName) -> Prove | End:
    if arrival.request.hidden_password is None and arrival.request.response is None:
        return credentials.not_accepted(taken, arrival.client) or _taking_as_right(taken, grounds)
    proof = credentials.read_proof(arrival)
    if isinstance(proof, Refuse | Quiet):
        return proof

    async def ask(directory: Directory, person: Person) -> Proved:
        return await directory.prove(person, proof)

    return ask


def _taking_as_right(taken: ProofName, grounds: Grounds) -> Prove:
    async def take(directory: Directory, person: Person) -> Proved:
        profile = grounds.settings.authentication_profiles[directory.name]
        if why := credentials.unprovable(profile, person, taken):
            return Wrong(Reason.PROOF_NOT_ACCEPTED, why)
        return Right("the password is taken as right")

    return take


def _with_policies(told: Explanation, rules: policy.Rules) -> Explanation:
    """The trace has a line for each policy, in order, down to the first that does not miss."""
    policies = [rule.policy for rule in rules.rules]
    for at, line in enumerate(told.story.trace[: len(policies)]):
        if not line.endswith(": miss"):
            below = tuple(each.name for each in policies[at + 1 :])
            return replace(told, decided_by=policies[at], not_looked_at=below)
    return told


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
