"""The same pushes by the libraries alone: aioapns, and pyfcm, each as its own documents show it."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import aioapns
from aioapns.connection import APNsTLSClientProtocol

from benchmarks.push_services import Kind, Told
from tests.push.apple import KEY_ID, TEAM_ID, TOPIC
from tests.push.google import PROJECT

MESSAGE = {"aps": {"alert": {"loc-key": "X"}, "mutable-content": 1}, "x": {"kind": "request", "id": "q" * 22}}


async def begun_by_library(kind: Kind, told: Told) -> Mapping[str, float]:
    """When each token's push began, once all were answered."""
    ours, theirs = multiprocessing.Pipe()
    with _trusting(told.ca):  # pyfcm takes no authority of its own
        child = multiprocessing.get_context("spawn").Process(target=_run, args=(kind, told, theirs))
        child.start()
    theirs.close()
    try:
        begun: Mapping[str, float] = await asyncio.to_thread(ours.recv)
        await asyncio.to_thread(child.join)
    finally:
        child.kill()
        ours.close()
    return begun


@contextmanager
def _trusting(ca: Path) -> Iterator[None]:
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(ca)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _run(kind: Kind, told: Told, pipe: Connection) -> None:
    pipe.send(asyncio.run(_aioapns(told)) if kind == "apns" else _pyfcm(told))


async def _aioapns(told: Told) -> dict[str, float]:
    parts = urlsplit(told.url)

    class Here(APNsTLSClientProtocol):
        APNS_SERVER = str(parts.hostname)
        APNS_PORT = parts.port or 443

    context = ssl.create_default_context(cafile=str(told.ca))
    key = told.secret["p8"].decode()
    client = aioapns.APNs(key=key, key_id=KEY_ID, team_id=TEAM_ID, topic=TOPIC, ssl_context=context)
    client.pool.protocol_class = Here
    begun = dict.fromkeys(told.tokens, time.monotonic())
    kind = aioapns.PushType.ALERT
    sends = (
        client.send_notification(aioapns.NotificationRequest(token, MESSAGE, push_type=kind))
        for token in told.tokens
    )
    assert all(said.is_successful for said in await asyncio.gather(*sends))
    client.pool.close()
    return begun


def _pyfcm(told: Told) -> dict[str, float]:
    from pyfcm import FCMNotification

    FCMNotification.FCM_END_POINT_BASE = f"{told.url}/v1/projects"
    file = told.ca.parent / "account.json"
    file.write_text(json.dumps(dict(told.secret)))
    library = FCMNotification(service_account_file=str(file), project_id=PROJECT)
    data = {"kind": "request", "id": "q" * 22}
    begun = dict.fromkeys(told.tokens, time.monotonic())
    said = library.async_notify_multiple_devices(
        [{"fcm_token": token, "data_payload": data} for token in told.tokens], timeout=60
    )
    assert all("name" in answer for answer in said), said
    return begun
