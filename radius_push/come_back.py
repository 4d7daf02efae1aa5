"""The same packet after its process has ended: until when it goes on where that one stopped.

The gateway knows nothing of a restart: it sends the same octets until its patience is over. What they may
still get is the question that is open already, or the verdict that was written; never a second of either.
"""

from __future__ import annotations

import hashlib
import json

from radius_push import policy
from radius_push.model import Client, Earlier, Person, QuestionState

AFTER_SENT = 30.0
"""Seconds in which an Access-Accept that has left is said once more: as long as duplicates are answered."""


_TIMED_OUT = {QuestionState.LATE, QuestionState.TIMED_OUT}


def mark(choice: policy.Admitted) -> bytes:
    """32 octets of what the rules said: any change of profile, methods, biometrics or reply is another
    decision."""
    profile = choice.profile
    text = json.dumps([profile.name, profile.methods, profile.biometrics, choice.reply])
    return hashlib.sha256(text.encode()).digest()


def may(earlier: Earlier, person: Person, choice: policy.Admitted, *, client: Client, now: float) -> bool:
    """May this packet still get what its question comes to? Else it is a replay.

    `client`: as the settings call it now; the phone was shown a name. `now`: UTC. A clock that went back
    knows of no time. A later try that joined has its own patience, however old its question is.
    """
    question = earlier.question
    if (question.person, earlier.client) != (person.key, client.name) or now < question.opened_at:
        return False
    if earlier.over and earlier.reply is None and question.state not in _TIMED_OUT:
        return False  # a newer try of the attempt was told instead
    match question.state:
        case QuestionState.CLOSED | QuestionState.TICKET:
            return False
        case QuestionState.SPENT if earlier.reply is None or earlier.decision != mark(choice):
            return False  # what was written is not taken back, and is not what is said today
        case QuestionState.SPENT if earlier.sent_at is not None:
            return now <= earlier.sent_at + AFTER_SENT
        case _:
            return now <= earlier.until


def still_holds(earlier: Earlier, choice: policy.Admitted) -> bool:
    """Do the rules of this moment say what they said when it was asked? A no needs no rule."""
    refused = earlier.question.state in {QuestionState.DENIED, *_TIMED_OUT}
    return refused or earlier.decision == mark(choice)
