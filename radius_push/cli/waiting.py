"""What `radius-push clients` tells of how long each gateway waits, and what to set where that is short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radius_push.meter import in_words, is_short, mend, to_set
from radius_push.model import Client, Sighting
from radius_push.radius.patience import Learned, learn, patience
from radius_push.shapes import OUR_OWN_CLIENT


def patience_of(client: Client, seen: Sighting | None, *, now: float) -> str:
    """The seconds that its logins have, and who says so."""
    learned = _learned(client, seen, now=now)
    seconds = patience(client, learned)
    if seconds < client.patience:
        return f"{seconds:.0f} s (learned)"
    return f"{client.patience:g} s ({'settings' if client.patience_said else 'preset'})"


def waiting(client: Client, sightings: Sequence[Sighting], *, now: float) -> Iterator[str]:
    """A line for each of its addresses that was seen to give up, and one if all have too little time."""
    for seen in sightings:
        learned = _learned(client, seen, now=now)
        if seen.client != client.name or learned is None:
            continue
        line = f"{client.name} ({seen.source}) {in_words(learned)}"
        if not learned.enough:
            line += ". Too few to count yet"
        elif learned.waits < client.patience:
            short = ", too short for a person" if is_short(learned.waits) else ""
            line += f"{short}. {mend(client, learned)}"
        yield line
    if is_short(client.patience) and client.name != OUR_OWN_CLIENT:
        who = "its settings say" if client.patience_said else "its preset says"
        yield f"{client.name} waits {client.patience:g} s, {who}: too short for a person. {to_set(client)}"


def learned_values(client: Client, seen: Sighting, *, now: float) -> dict[str, object]:
    """For JSON: seconds, all of them."""
    learned = _learned(client, seen, now=now)
    return {
        "patience": round(patience(client, learned), 1),
        "learned": None
        if learned is None
        else {
            "waits": round(learned.waits, 1),
            "tries": learned.tries,
            "interval": round(learned.interval, 1),
            "grows": learned.grows,
            "seen": learned.seen,
            "counts": learned.enough,
            "of_many_people": learned.of_many,
        },
    }


def _learned(client: Client, seen: Sighting | None, *, now: float) -> Learned | None:
    return None if seen is None else learn(seen.series, now)
