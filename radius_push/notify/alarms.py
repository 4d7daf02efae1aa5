"""Every sentence that is mailed to administrators when a person says that it was not them."""

from __future__ import annotations

from radius_push.notices import AlertKind
from radius_push.shapes import Language

ALERT_SUBJECTS: dict[Language, dict[AlertKind, str]] = {
    "en": {
        "contested": "VPN: a person says that an approved sign-in was not theirs",
        "removed_by_notice": "VPN: a person removed a phone that they had not added",
    },
    "tr": {
        "contested": "VPN: bir kişi, onaylanan girişi kendisinin yapmadığını söylüyor",
        "removed_by_notice": "VPN: bir kişi, kendisinin eklemediği bir telefonu kaldırdı",
    },
    "de": {
        "contested": "VPN: Jemand sagt, dass eine bestätigte Anmeldung nicht die eigene war",
        "removed_by_notice": "VPN: Jemand hat ein Telefon entfernt, das nicht das eigene ist",
    },
    "es": {
        "contested": "VPN: una persona dice que un acceso aprobado no era suyo",
        "removed_by_notice": "VPN: una persona ha quitado un teléfono que no había añadido",
    },
}

CONTESTED: dict[Language, str] = {
    "en": """\
{account}: a VPN sign-in was approved on a phone of this person, and on {when} the person said that it was
not theirs.

Code: {code}
Gateway: {gateway}
Address, as the gateway reported it: {address}

Somebody may be in with this account now. End the session at the gateway, call the person, have the password
changed.
radius-push trace {code} says what happened.
""",
    "tr": """\
{account}: bu kişinin bir telefonunda bir VPN girişi onaylandı ve kişi {when} tarihinde bunun kendisi
olmadığını söyledi.

Kod: {code}
Ağ geçidi: {gateway}
Ağ geçidinin bildirdiği adres: {address}

Şu anda bu hesapla biri içeride olabilir. Oturumu ağ geçidinde sonlandırın, kişiyi arayın, parolayı
değiştirtin.
Ne olduğunu radius-push trace {code} gösterir.
""",
    "de": """\
{account}: Auf einem Telefon dieser Person wurde eine VPN-Anmeldung bestätigt, und am {when} hat sie gesagt,
dass es nicht die eigene war.

Code: {code}
Gateway: {gateway}
Adresse, wie das Gateway sie gemeldet hat: {address}

Mit diesem Konto kann jetzt jemand im VPN sein. Beenden Sie die Sitzung am Gateway, rufen Sie die Person an,
lassen Sie das Passwort ändern.
Was geschehen ist, sagt radius-push trace {code}.
""",
    "es": """\
{account}: en un teléfono de esta persona se aprobó un acceso a la VPN, y el {when} la persona dijo que no
era suyo.

Código: {code}
Puerta de enlace: {gateway}
Dirección, según la puerta de enlace: {address}

Puede que alguien esté dentro con esta cuenta ahora. Cierre la sesión en la puerta de enlace, llame a la
persona y haga cambiar la contraseña.
radius-push trace {code} dice qué pasó.
""",
}

REMOVED: dict[Language, str] = {
    "en": """\
{account}: on {when} this person removed the phone “{name}” from their account, because they had not added it.

Somebody else may know the password, and may have been in by that phone. Call the person, have the password
changed,
and look at their last sign-ins with radius-push logins.
""",
    "tr": """\
{account}: bu kişi {when} tarihinde “{name}” telefonunu, kendisi eklemediği için hesabından kaldırdı.

Parolayı başka biri biliyor ve o telefonla girmiş olabilir. Kişiyi arayın, parolayı değiştirtin ve son
girişlerine
radius-push logins ile bakın.
""",
    "de": """\
{account}: Am {when} hat diese Person das Telefon „{name}“ von ihrem Konto entfernt, weil sie es nicht
hinzugefügt hatte.

Jemand anders kann das Passwort kennen und mit diesem Telefon im VPN gewesen sein. Rufen Sie die Person an,
lassen Sie das
Passwort ändern und sehen Sie die letzten Anmeldungen mit radius-push logins an.
""",
    "es": """\
{account}: el {when} esta persona quitó de su cuenta el teléfono «{name}», porque no lo había añadido.

Puede que otra persona sepa la contraseña y haya entrado con ese teléfono. Llame a la persona, haga cambiar
la contraseña
y mire sus últimos accesos con radius-push logins.
""",
}

NO_ADDRESS: dict[Language, str] = {
    "en": "it reported none",
    "tr": "bildirmedi",
    "de": "es hat keine gemeldet",
    "es": "no indicó ninguna",
}
