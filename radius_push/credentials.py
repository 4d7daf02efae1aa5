"""What a request brings to prove who logs in, and what its accept owes to that proof."""

from __future__ import annotations

from dataclasses import replace

from radius_push.dn import fold
from radius_push.model import (
    Accepted,
    Client,
    MsChapSuccess,
    MsChapV2,
    Person,
    Proof,
    ProofName,
    Proved,
    Reason,
    Right,
    Secret,
    Wrong,
)
from radius_push.proofs import mppe, mschapv2, pap
from radius_push.radius.packet import AccessRequest, Arrival
from radius_push.radius.proof import Kind
from radius_push.shapes import AuthenticationProfile, LdapProfile
from radius_push.story import End, Quiet, Refuse, Story

_CALLED: dict[Kind, str] = {
    "pap": "PAP",
    "chap": "CHAP",
    "ms-chapv2": "MS-CHAPv2",
    "ms-chap": "MS-CHAP (version 1)",
    "eap": "EAP",
}


def read_proof(arrival: Arrival) -> Proof | End:
    """What the directory is shown, or why there is nothing to show. No directory is asked before this."""
    request, client = arrival.request, arrival.client
    if not request.username:
        return Refuse(Reason.NO_USERNAME)
    if (refused := not_accepted(request.proof, client)) is not None:
        return refused
    if request.response is not None:
        return request.response
    return _password(request, client)


def is_probe(arrival: Arrival) -> bool:
    """Does the gateway only ask whether we are alive? Then any answer will do, and it is never a yes."""
    name = arrival.request.username
    return name is not None and fold(name) in arrival.client.probe_users


def authorizes_only(request: AccessRequest) -> bool:
    """Does it ask only what somebody may who is in already (RFC 5176 3.1)?"""
    return (
        request.authentic
        and request.proof == "none"
        and request.username is not None
        and request.attributes.get("Service-Type") == ("Authorize-Only",)
    )


def not_accepted(kind: Kind, client: Client) -> Refuse | None:
    """What may be spoken belongs to the client and its settings, and never to the packet."""
    if kind in client.accepts:
        return None
    ours = " or ".join(_CALLED[name] for name in ("pap", "chap", "ms-chapv2") if name in client.accepts)
    mend = f"let the gateway use {ours}"
    match kind:
        case "none":
            return Refuse(Reason.PROOF_NOT_ACCEPTED, f"no password and no response: {mend}")
        case "ms-chap" | "eap":
            return Refuse(Reason.PROOF_NOT_ACCEPTED, f"{_CALLED[kind]} is not spoken here: {mend}")
    mend += f", or add {kind} to `accepts` of client {client.name}"
    return Refuse(Reason.PROOF_NOT_ACCEPTED, f"{_CALLED[kind]} is not accepted: {mend}")


def not_taken_any_more(request: AccessRequest, client: Client) -> str:
    """Why newer settings of its client would not have let this held request in; empty if they would. A secret
    that was taken away may be in the hands of somebody else."""
    if request.secret not in client.secrets:
        return "the shared secret that it came with was taken away"
    if client.require_message_authenticator == "yes" and not request.authentic:
        return "it bears no Message-Authenticator, and must now"
    refused = not_accepted(request.proof, client)
    return refused.detail if refused else ""


def _password(request: AccessRequest, client: Client) -> Secret | End:
    if request.hidden_password is None:
        return Refuse(Reason.NO_PASSWORD, "it brings no password")
    octets = pap.decrypt(request.hidden_password, request.secret, request.authenticator)
    encoding = client.password_encoding
    match pap.read(octets, encoding=encoding):
        case Secret() as password:
            return password
        case pap.LooksLikeWrongSecret() if not request.authentic:
            return Quiet(
                Reason.WRONG_SHARED_SECRET,
                f"the password is rubbish: the secret of client {client.name} is not its gateway's",
            )
        case pap.NotReadable(Reason.NO_PASSWORD):
            return Refuse(Reason.NO_PASSWORD, "the password is empty")
        case _:
            return Refuse(
                Reason.PASSWORD_NOT_READABLE,
                f"the password is neither UTF-8 nor {encoding}: see `password_encoding` of the client",
            )


def from_anybody(request: AccessRequest, proof: Proof | End) -> bool:
    """Could this have been made without the shared secret, and without a right password? Only a password of
    PAP is hidden with the secret; whoever is not on the path can at least not make one that reads."""
    return not (request.authentic or isinstance(proof, Secret))


def with_nt_hash(proved: Proved, proof: Proof) -> Proved:
    """The NT hash of what was proved, where it can be had. An MS-CHAPv2 login can't do without: its gateway
    is owed a sign that we know the password, too."""
    if not isinstance(proved, Right) or proved.nt_hash is not None:
        return proved
    if isinstance(proof, Secret):
        return replace(proved, nt_hash=mschapv2.nt_hash(proof))
    if isinstance(proof, MsChapV2):
        return Wrong(Reason.PROOF_NOT_ACCEPTED, "the directory does not know the NT hash")
    return proved


def unprovable(profile: AuthenticationProfile, person: Person, proof: ProofName) -> str:
    """Why this directory can't prove them so, in words; empty if it can."""
    if isinstance(profile, LdapProfile):
        return "" if proof == "pap" else f"{profile.name} is an LDAP directory, which proves only pap"
    user = profile.users.get(person.key.id)
    lacks = user.lacks(proof) if user else ""
    return f"{person.username} has no {lacks}, which {proof} needs" if lacks else ""


def accept(story: Story, reply: tuple[tuple[str, str], ...]) -> Accepted:
    """The accept of this login: with the keys of its link, if it came by MS-CHAPv2 (RFC 2548 2.3.3, 2.4)."""
    proof, nt_hash = story.arrival.request.response, story.nt_hash
    login = story.arrival.login
    if not isinstance(proof, MsChapV2) or nt_hash is None:
        return Accepted(reply, login=login)
    send, receive = mppe.start_keys(nt_hash, proof.nt_response)
    response = mschapv2.authenticator_response(proof, nt_hash)
    return Accepted(reply, MsChapSuccess(response, send_key=send, receive_key=receive), login)
