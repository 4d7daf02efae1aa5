"""Adding a phone: the QR code after a click, and the six digits that the phone shows."""

from __future__ import annotations

import base64

from radius_push.model import Device
from radius_push.web.portal_pages.markup import element, text
from radius_push.web.portal_pages.page import Reader, button, leads, notice, page, paragraph, post
from radius_push.web.qr import svg


def begin(reader: Reader) -> str:
    """Nothing of it is shown yet."""
    return page(
        reader,
        reader.say("pair_title"),
        paragraph(reader.say("pair_text"), "lead"),
        post(reader, "/pair", button(reader.say("pair_show"))),
        leads(reader.say("pair_back"), "/"),
    )


def show(reader: Reader, *, link: str, origin: str, code: str, minutes: int) -> str:
    """The one time that the link and the code are seen."""
    drawn = base64.b64encode(svg(link)).decode()
    return page(
        reader,
        reader.say("pair_scan"),
        element("img", src=f"data:image/svg+xml;base64,{drawn}", alt=reader.say("pair_qr"), class_="qr"),
        element(
            "label",
            element("span", reader.say("pair_link")),
            element("input", type="text", value=link, readonly=True, id="link"),
            class_="field",
        ),
        element(
            "button",
            reader.say("pair_copy"),
            type="button",
            hidden=True,
            data_copy="link",
            data_copied=reader.say("pair_copied"),
        ),
        paragraph(reader.say("pair_typed", address=origin)),
        paragraph(code, "code"),
        paragraph(reader.say("pair_until", minutes=str(minutes))),
        leads(reader.say("pair_next"), "/pair/code"),
        leads(reader.say("pair_back"), "/", kind="quiet"),
        news="/pair/code",
    )


def no_phone_yet(reader: Reader) -> str:
    return page(
        reader,
        reader.say("pair_none_title"),
        paragraph(reader.say("pair_none"), "lead"),
        leads(reader.say("pair_next"), "/pair/code"),
        leads(reader.say("pair_again"), "/pair", kind="quiet"),
        news="/pair/code",
    )


def over(reader: Reader) -> str:
    return page(
        reader,
        reader.say("pair_over_title"),
        paragraph(reader.say("pair_over"), "lead"),
        leads(reader.say("pair_again"), "/pair"),
        leads(reader.say("pair_back"), "/", kind="quiet"),
    )


def type_the_code(reader: Reader, device: Device, *, tries_left: int | None) -> str:
    """`tries_left`: after a wrong one."""
    wrong = None if tries_left is None else reader.say("code_wrong", count=str(tries_left))
    return page(
        reader,
        reader.say("code_title"),
        paragraph(reader.say("code_text", name=device.name), "lead"),
        notice(wrong, wrong=True),
        post(
            reader,
            "/pair/code",
            element(
                "label",
                element("span", reader.say("code_label")),
                element(
                    "input",
                    name="code",
                    type="text",
                    inputmode="numeric",
                    autocomplete="off",
                    maxlength="16",
                    required=True,
                    class_="digits",
                ),
                class_="field",
            ),
            button(reader.say("code_button")),
        ),
        paragraph(reader.say("code_other"), "note"),
        leads(reader.say("pair_again"), "/pair", kind="quiet"),
        text(""),
    )
