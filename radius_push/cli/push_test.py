"""`radius-push push-test`: does a push reach this person's phones, and how fast?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from radius_push.cli.devices import device_by, is_of
from radius_push.cli.enroll import issuer
from radius_push.cli.invitation import plain
from radius_push.cli.options import config_option, could_not_run, json_option, with_store
from radius_push.model import Device
from radius_push.ports import Clock, Store
from radius_push.push_trial import MOST_SECONDS, News, Trying, ring_and_watch


@click.command("push-test")
@click.argument("user", required=False)
@click.option("--device", metavar="ID", help="This phone alone, by the beginning of its id.")
@click.option(
    "--wait",
    type=click.FloatRange(1, MOST_SECONDS),
    default=MOST_SECONDS,
    show_default=True,
    help="Seconds to wait for the phones.",
)
@config_option
@json_option
def push_test(*, user: str | None, device: str | None, wait: float, config: Path, as_json: bool) -> None:
    """Ring the phones of USER with a test request, as a login would, through the running server: says what
    each push service said, whether the phone got it, and whether the test was answered on it.

    Exit code 0: every phone says that it was reached. 1: one does not.
    """
    if (user is None) == (device is None):
        raise click.UsageError("whose phones? USER, or --device ID")

    def tell(news: News) -> None:
        if not as_json:
            click.echo(in_words(news))

    async def work(store: Store, clock: Clock) -> list[Trying]:
        phones = await _phones(store, user, device)
        if not await store.servers():
            could_not_run("no server runs on this store: `radius-push serve`")
        if not as_json:
            click.echo(f"Ringing {', '.join(map(_named, phones))}. The test can be answered on the phone.")
        return await ring_and_watch(phones, store=store, clock=clock, by=issuer(), seconds=wait, tell=tell)

    tries = with_store(config, work)
    for each in tries:
        click.echo(json.dumps(as_values(each)) if as_json else conclusion(each))
    if not any(each.rung or each.reached for each in tries) and any(
        each.services for each in tries if each.trial is not None
    ):
        could_not_run("No server has rung: is the one that stands in the store alive? `radius-push doctor`")
    sys.exit(0 if all(each.reached for each in tries) else 1)


async def _phones(store: Store, user: str | None, typed: str | None) -> Sequence[Device]:
    """Ends the verb with exit code 1 if there are none."""
    if typed is not None:
        found = await device_by(store, typed)
        phones = [] if found is None else [found]
    else:
        phones = [each for each in await store.devices() if is_of(each, str(user))]
    phones = [each for each in phones if each.state == "active"]
    if len({each.person for each in phones}) > 1:
        people = ", ".join(sorted({str(each.person) for each in phones}))
        raise click.UsageError(f"several people are called {plain(str(user))}: name one of {plain(people)}")
    if not phones:
        click.echo(f"No trusted phone of {plain(typed or str(user))}: see `radius-push devices`.", err=True)
        sys.exit(1)
    return phones


def in_words(news: News) -> str:
    """`  +0.412 s  Pixel 7 (a1b2c3d4): web_push delivered, after 398 ms`."""
    where = "" if news.channel is None else f"{news.channel}: "
    said = {
        "delivered": f"the push service took it in {news.milliseconds} ms",
        "gone": f"GONE, the push service knows this address no more. {news.detail}",
        "unreachable": f"UNREACHABLE. {news.detail}",
        "refused": f"REFUSED. {news.detail}",
        "received": "the phone says that it got it",
        "opened": "the app was opened by it",
        "answered": "the test was answered",
    }.get(news.what, news.what)
    return f"  +{news.after:.3f} s  {_named(news.device)}: {plain(where + said).rstrip()}"


def conclusion(trying: Trying) -> str:
    """What came of one phone, and what to do."""
    name = _named(trying.device)
    if trying.trial is None:
        return f"{name}: not rung, it had three tests within a minute. Wait a moment."
    if trying.answered:
        return f"{name}: reached, and answered."
    if trying.reached:
        return f"{name}: reached, and not answered."
    if not trying.services:
        return f"{name}: has no push address, only an open app shows the test. Let them allow notifications."
    failed = [each for each in trying.news if each.what in ("refused", "gone", "unreachable")]
    if failed and len(failed) < len(trying.services):
        channels = ", ".join(f"{each.channel} {each.what}" for each in failed)
        return f"{name}: {channels}, see above; and by the others the phone did not say that it came."
    if any(each.what == "delivered" for each in trying.news):
        return (
            f"{name}: the push service took it, and the phone did not say that it came. Is it off, muted, "
            "or without a network? What a closed app does is in docs/how-to/phones.md, "
            "and of your own app in docs/how-to/your-own-app.md"
        )
    return f"{name}: not reached."


def as_values(trying: Trying) -> dict[str, object]:
    """For JSON: seconds since the test began."""
    return {
        "device": trying.device.id,
        "name": trying.device.name,
        "username": trying.device.username,
        "asked": trying.trial is not None,
        "services": list(trying.services),
        "reached": trying.reached,
        "answered": trying.answered,
        "news": [
            {
                "after": round(each.after, 3),
                "what": each.what,
                "channel": each.channel,
                "detail": each.detail,
                "milliseconds": each.milliseconds,
            }
            for each in trying.news
        ],
    }


def _named(device: Device) -> str:
    return f"{plain(device.name)} ({device.id[:8]})"
