"""All harnesses by name. A new parser gets its line here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fuzz.guided import credentials, replies, reports, requests, streams, values
from tests.fuzz.guided.harness import Harness

HARNESSES: Mapping[str, Harness] = {
    "datagram": Harness(requests.play_datagram, requests.seeds, requests.mend),
    "door": Harness(requests.play_door, requests.seeds, requests.mend, requests.close_doors),
    "reply": Harness(replies.play, replies.seeds, replies.mend),
    "stream": Harness(streams.play, streams.seeds),
    "accounting": Harness(reports.play_accounting, reports.accounting_seeds, reports.mend_accounting),
    "status": Harness(reports.play_status, reports.status_seeds, reports.mend_status),
    "password": Harness(credentials.play_password, credentials.password_seeds),
    "address": Harness(values.play_address, values.address_seeds),
    "value": Harness(values.play_value, values.value_seeds),
}
