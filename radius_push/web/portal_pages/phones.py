"""The list of somebody's phones, and what is asked before one is removed."""

from __future__ import annotations

from collections.abc import Sequence

from radius_push.enrollment import LONGEST_NAME
from radius_push.model import Device, DeviceState
from radius_push.portal_store import KeptDevice
from radius_push.web.portal_pages.markup import Markup, element, text
from radius_push.web.portal_pages.page import Reader, button, leads, moment, notice, page, paragraph, post

WRONG = {"did_same", "did_tested_often", "did_gone"}
DONE = {"did_renamed", "did_tested", "did_removed", "did_added"}


def phones(reader: Reader, kept: Sequence[KeptDevice], *, most: int, said: str | None) -> str:
    """`said`: the key of what was done last."""
    full = len(kept) >= most
    none = not kept
    return page(
        reader,
        reader.say("phones_title"),
        notice(None if said is None else reader.say(said), wrong=said in WRONG),
        paragraph(reader.say("phones_none" if none else "phones_lead"), "lead"),
        element("ul", *(_phone(reader, each) for each in kept), class_="phones") if kept else text(""),
        paragraph(reader.say("phone_full", count=str(most)))
        if full
        else leads(reader.say("phone_add"), "/pair", kind="button main"),
    )


def _phone(reader: Reader, kept: KeptDevice) -> Markup:
    device = kept.device
    facts = [
        (reader.say("phone_since"), moment(device.created_at)),
        (
            reader.say("phone_answered"),
            text(reader.say("phone_never")) if kept.answered_at is None else moment(kept.answered_at),
        ),
        (
            reader.say("phone_rung"),
            text(reader.say("phone_rung_yes" if kept.rung else "phone_rung_no")),
        ),
    ]
    active = device.state is DeviceState.ACTIVE
    return element(
        "li",
        element("h2", device.name),
        text("") if active else paragraph(reader.say(f"phone_{device.state.value}"), "note"),
        element("dl", *(element("div", element("dt", name), element("dd", fact)) for name, fact in facts)),
        _rename(reader, device),
        element(
            "div",
            _test(reader, device) if active else text(""),
            element(
                "a",
                reader.say("phone_remove"),
                href=f"/remove?phone={device.id}",
                class_="button",
                aria_label=reader.say("phone_remove_of", name=device.name),
            ),
            class_="actions",
        ),
    )


def _rename(reader: Reader, device: Device) -> Markup:
    return post(
        reader,
        "/rename",
        element(
            "label",
            element("span", reader.say("phone_name")),
            element(
                "input",
                name="name",
                type="text",
                value=device.name,
                autocomplete="off",
                maxlength=str(LONGEST_NAME),
                required=True,
            ),
            class_="field",
        ),
        element(
            "button",
            reader.say("phone_rename"),
            type="submit",
            aria_label=reader.say("phone_rename_of", name=device.name),
        ),
        phone=device.id,
    )


def _test(reader: Reader, device: Device) -> Markup:
    words = reader.say("phone_test_of", name=device.name)
    return post(
        reader,
        "/test",
        element("button", reader.say("phone_test"), type="submit", aria_label=words),
        phone=device.id,
    )


def remove(reader: Reader, device: Device, *, last: bool) -> str:
    return page(
        reader,
        reader.say("remove_title", name=device.name),
        paragraph(reader.say("remove_text"), "lead"),
        paragraph(reader.say("remove_last"), "note") if last else text(""),
        element(
            "div",
            leads(reader.say("remove_no"), "/"),
            post(reader, "/remove", button(reader.say("remove_yes"), kind="danger"), phone=device.id),
            class_="actions",
        ),
    )
