"""Every sentence that is mailed, in the languages that phones speak; `{...}` is filled in."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from radius_push.notices import AlertKind, Mail, NoticeKind
from radius_push.notify import alarms
from radius_push.notify.mail import Letter
from radius_push.shapes import Language

LONGEST_FACT = 128
"""Characters of a name."""

SUBJECTS: dict[Language, dict[NoticeKind | str, str]] = {
    "en": {
        "invitation": "Add your phone for VPN sign-ins",
        "device_added": "A phone was added for your VPN sign-ins",
        "device_removed": "A phone was removed from your VPN sign-ins",
        "credential_added": "A fingerprint or face was added for your VPN sign-ins",
    },
    "tr": {
        "invitation": "VPN girişleriniz için telefonunuzu ekleyin",
        "device_added": "VPN girişleriniz için bir telefon eklendi",
        "device_removed": "VPN girişlerinizden bir telefon kaldırıldı",
        "credential_added": "VPN girişleriniz için parmak izi veya yüz eklendi",
    },
    "de": {
        "invitation": "Fügen Sie Ihr Handy für VPN-Anmeldungen hinzu",
        "device_added": "Ein Handy wurde für Ihre VPN-Anmeldungen hinzugefügt",
        "device_removed": "Ein Handy wurde von Ihren VPN-Anmeldungen entfernt",
        "credential_added": "Fingerabdruck oder Gesicht wurde für Ihre VPN-Anmeldungen hinzugefügt",
    },
    "es": {
        "invitation": "Añade tu teléfono para entrar en la VPN",
        "device_added": "Se ha añadido un teléfono para tus accesos a la VPN",
        "device_removed": "Se ha quitado un teléfono de tus accesos a la VPN",
        "credential_added": "Se ha añadido una huella o una cara para tus accesos a la VPN",
    },
}

INVITATION: dict[Language, str] = {
    "en": """\
{account}: your phone is to be asked from now on when somebody signs in to the VPN with your account.

On your phone, open this link:
{link}

Or open {page} there and type this code:
{code}

Then type your usual password. On an iPhone take the code: the page says how.
Link and code work once, until {until}. Give them to nobody.
{then}
""",
    "tr": """\
{account}: bundan sonra biri hesabınızla VPN'e girerken telefonunuza sorulacak.

Telefonunuzda şu bağlantıyı açın:
{link}

Ya da telefonda {page} adresini açıp şu kodu yazın:
{code}

Sonra her zamanki parolanızı yazın. iPhone'da kodu kullanın: sayfa nasıl yapılacağını anlatır.
Bağlantı ve kod bir kez kullanılır ve {until} tarihine kadar geçerlidir. Kimseye vermeyin.
{then}
""",
    "de": """\
{account}: Ihr Handy wird von jetzt an gefragt, wenn sich jemand mit Ihrem Konto beim VPN anmeldet.

Öffnen Sie auf Ihrem Handy diesen Link:
{link}

Oder öffnen Sie dort {page} und geben Sie diesen Code ein:
{code}

Geben Sie dann Ihr gewohntes Passwort ein. Auf einem iPhone nehmen Sie den Code: Die Seite sagt, wie.
Link und Code gelten einmal, bis {until}. Geben Sie sie niemandem.
{then}
""",
    "es": """\
{account}: a partir de ahora se preguntará a tu teléfono cuando alguien entre en la VPN con tu cuenta.

Abre este enlace en tu teléfono:
{link}

O abre allí {page} y escribe este código:
{code}

Después escribe tu contraseña habitual. En un iPhone usa el código: la página explica cómo.
El enlace y el código sirven una vez, hasta {until}. No se los des a nadie.
{then}
""",
}
THEN_CODE: dict[Language, str] = {
    "en": "At the end the phone shows six digits. Tell them to your administrator over the telephone.",
    "tr": "Sonunda telefon altı rakam gösterir. Bunları yöneticinize telefonda söyleyin.",
    "de": "Am Ende zeigt das Handy sechs Ziffern. Sagen Sie diese Ihrer IT am Telefon.",
    "es": "Al final el teléfono muestra seis cifras. Díselas por teléfono a tu administrador.",
}
"""How it ends, where the six digits are asked for."""

TOLD: dict[Language, dict[NoticeKind, str]] = {
    "en": {
        "device_added": "{account}: the phone “{name}” was added on {when}. It can let somebody in with your "
        "account.\n\nIf this was not you: tell your administrator at once, and change your password.\n",
        "device_removed": "{account}: the phone “{name}” was removed on {when}. It is asked no more.\n\n"
        "If you did not expect this: tell your administrator.\n",
        "credential_added": "{account}: on {when} a fingerprint or face was added or replaced on the phone "
        "“{name}”.\n\nIf this was not you: tell your administrator at once, and change your password.\n",
    },
    "tr": {
        "device_added": "{account}: “{name}” telefonu {when} tarihinde eklendi. Bu telefon, hesabınızla "
        "girişe izin verebilir.\n\nBunu siz yapmadıysanız: hemen yöneticinize haber verin ve parolanızı "
        "değiştirin.\n",
        "device_removed": "{account}: “{name}” telefonu {when} tarihinde kaldırıldı. Artık ona sorulmaz.\n\n"
        "Bunu beklemiyorsanız: yöneticinize haber verin.\n",
        "credential_added": "{account}: {when} tarihinde “{name}” telefonunda bir parmak izi veya yüz "
        "eklendi ya da değiştirildi.\n\nBunu siz yapmadıysanız: hemen yöneticinize haber verin ve parolanızı "
        "değiştirin.\n",
    },
    "de": {
        "device_added": "{account}: Das Handy „{name}“ wurde am {when} hinzugefügt. Es kann jemanden mit "
        "Ihrem Konto hereinlassen.\n\nWaren Sie das nicht: Sagen Sie es sofort Ihrer IT und "
        "ändern Sie Ihr Passwort.\n",
        "device_removed": "{account}: Das Handy „{name}“ wurde am {when} entfernt. Es wird nicht mehr "
        "gefragt.\n\nHaben Sie das nicht erwartet: Sagen Sie es Ihrer IT.\n",
        "credential_added": "{account}: Am {when} wurde auf dem Handy „{name}“ ein Fingerabdruck oder "
        "Gesicht hinzugefügt oder ersetzt.\n\nWaren Sie das nicht: Sagen Sie es sofort Ihrer IT "
        "und ändern Sie Ihr Passwort.\n",
    },
    "es": {
        "device_added": "{account}: el teléfono «{name}» se añadió el {when}. Puede dejar entrar a alguien "
        "con tu cuenta.\n\nSi no has sido tú: avisa enseguida a tu administrador y cambia tu contraseña.\n",
        "device_removed": "{account}: el teléfono «{name}» se quitó el {when}. Ya no se le pregunta.\n\n"
        "Si no lo esperabas: avisa a tu administrador.\n",
        "credential_added": "{account}: el {when} se añadió o se cambió una huella o una cara en el "
        "teléfono «{name}».\n\nSi no has sido tú: avisa enseguida a tu administrador y cambia tu "
        "contraseña.\n",
    },
}


def invitation(
    language: Language,
    *,
    to: str,
    account: str,
    page: str,
    link: str,
    code: str,
    expires_at: float,
    asks_code: bool,
) -> Letter:
    text = INVITATION[language].format(
        account=plain(account),
        page=page,
        link=link,
        code=code,
        until=when(expires_at),
        then=THEN_CODE[language] if asks_code else "",
    )
    return Letter(to, SUBJECTS[language]["invitation"], f"{text.rstrip()}\n")


def told(language: Language, mail: Mail) -> Letter:
    """A mail to the person, or to an administrator."""
    match mail.kind:
        case "contested" | "removed_by_notice":
            return _alert(language, mail, mail.kind)
        case _:
            return _to_the_person(language, mail, mail.kind)


def _alert(language: Language, mail: Mail, kind: AlertKind) -> Letter:
    account, name, at = plain(mail.username), plain(mail.name), when(mail.at)
    if kind == "contested":
        address = alarms.NO_ADDRESS[language] if mail.login_address is None else plain(mail.login_address)
        text = alarms.CONTESTED[language].format(
            account=account, gateway=name, address=address, code=mail.about, when=at
        )
    else:
        text = alarms.REMOVED[language].format(account=account, name=name, when=at)
    return Letter(mail.address, alarms.ALERT_SUBJECTS[language][kind], text)


def _to_the_person(language: Language, mail: Mail, kind: NoticeKind) -> Letter:
    text = TOLD[language][kind].format(
        account=plain(mail.username), name=plain(mail.name), when=when(mail.at)
    )
    return Letter(mail.address, SUBJECTS[language][kind], text)


def when(at: float) -> str:
    """The same in every language and time zone."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def plain(text: str) -> str:
    """A name in one line, with nothing that could turn its direction or begin another line."""
    kept = "".join(" " if c.isspace() else c for c in text[: 4 * LONGEST_FACT])
    visible = "".join(c for c in kept if not unicodedata.category(c).startswith("C"))
    return " ".join(visible.split())[:LONGEST_FACT] or "?"
