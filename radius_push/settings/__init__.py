"""The settings file, read and checked: every mistake at once, each with its place and its mend.

settings = load(Path("/etc/radius-push/radius-push.yaml"), environ=os.environ)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as File

from radius_push import policy, shapes
from radius_push.settings import (
    clients,
    crossings,
    dictionaries,
    directories,
    installation,
    mail,
    more_servers,
    policies,
    radsec,
    schema,
    server_schema,
)
from radius_push.settings.book import Book
from radius_push.settings.crossings import SAMPLE_PASSWORD_HASH
from radius_push.settings.include import include
from radius_push.settings.mistakes import Mistake, Path, SettingsError
from radius_push.settings.report import Report
from radius_push.settings.secrets import Vault
from radius_push.settings.yaml_marks import read

__all__ = [
    "SAMPLE_PASSWORD_HASH",
    "Checked",
    "Mistake",
    "Path",
    "SettingsError",
    "describe",
    "load",
    "load_with_places",
]


class Checked:
    """Good settings, and where everything in them is written."""

    def __init__(self, settings: shapes.Settings, book: Book) -> None:
        self.settings = settings
        self._book = book

    def mistake(self, path: Path, sentence: str) -> Mistake:
        """What turned out to be wrong later, at its place."""
        return self._book.report.document.mistake(path, sentence)

    def value_path(self, *, policy: int, condition: int, value: int) -> Path:
        """Where a value of a condition is written."""
        return (*self._book.condition_paths[policy][condition], value)


def load(path: File, *, environ: Mapping[str, str]) -> shapes.Settings:
    """Read and check a settings file. Raises SettingsError with everything that is wrong.

    Relative paths in a file are relative to its folder; `{env: NAME}` is looked up in `environ`.
    """
    return load_with_places(path, environ=environ).settings


def load_with_places(path: File, *, environ: Mapping[str, str]) -> Checked:
    """The same, for who has more to say about it."""
    document = read(path)
    report = Report(document)
    tree = report.mapping(document.tree, ())
    report.unknown_keys(tree, (), tuple(schema.SettingsSection.model_fields))
    tree = include(report, tree, path.parent)
    for name in schema.SettingsSection.REQUIRED:
        if not tree.get(name):
            report.wrong((name,), "is missing" if name not in tree else "is empty")
    book = Book(report, Vault(environ))
    if tree.get("server"):
        book.server = report.section(server_schema.ServerSection, tree["server"], ("server",))
    installation.accounting(book)
    phone = installation.phone(book)
    mail.mail(book)
    portal = installation.portal(book, phone)
    metrics = installation.metrics(book)
    installation.methods(book, tree.get("methods"))
    directories.directories(book, tree.get("authentication_profiles"))
    installation.profiles(book, tree.get("profiles"))
    clients.clients(book, tree.get("clients"), tree.get("client_defaults"))
    policies.policies(book, tree.get("policies"))
    connections = radsec.radsec(book), radsec.tcp(book)
    radsec.check(book)
    more = more_servers.more_servers(book)
    crossings.check(book, dictionaries.dictionaries(book))
    if report.mistakes:
        raise SettingsError(report.mistakes)
    return Checked(_settings(path, book, (phone, portal), more, *connections, metrics=metrics), book)


def _settings(
    path: File,
    book: Book,
    browsers: tuple[shapes.PhoneListener | None, shapes.PhoneListener | None],
    more: dict[str, shapes.MoreServer],
    radsec: shapes.RadsecListener | None,
    tcp: tuple[shapes.Endpoint, ...],
    *,
    metrics: shapes.Endpoint | None,
) -> shapes.Settings:
    enrollment = book.server.enrollment
    return shapes.Settings(
        file=str(path),
        store=book.vault.path(book.server.store, book.report, ("server", "store")),
        authentication=book.server.listen.authentication,
        accounting=book.server.listen.accounting,
        phone=browsers[0],
        portal=browsers[1],
        metrics=metrics,
        methods=book.methods,
        clients=book.clients,
        authentication_profiles=book.directories,
        profiles=book.profiles,
        policies=tuple(book.policies),
        enrollment=shapes.Enrollment(**enrollment.model_dump()),
        mail=book.mail,
        trusted_proxies=book.server.trusted_proxies,
        places=installation.places(book),
        push=book.push,
        retention=shapes.Retention(book.server.retention.evidence),
        limits=shapes.Limits(**book.server.limits.model_dump()),
        late_window=book.server.late_window,
        ring_limit=shapes.RingLimit(**book.server.ring_limit.model_dump()),
        reject_delay=book.server.reject_delay,
        dictionaries=tuple(book.dictionary_lines),
        tcp=tcp,
        radsec=radsec,
        more_servers=more,
        warnings=tuple(str(warning) for warning in sorted(set(book.report.warnings))),
    )


def describe(settings: shapes.Settings) -> str:
    """What `check` prints of good settings: what there is, what follows from it, what to look at."""
    lines = [f"{settings.file}: good", f"  {_counts(settings)}"]
    lines += [f"  RADIUS authentication on {each}" for each in settings.authentication]
    lines += [f"  RADIUS accounting on {each}" for each in settings.accounting]
    lines += [f"  RADIUS authentication by TCP on {each}" for each in settings.tcp]
    if settings.radsec is not None:
        lines += [f"  RadSec on {each}" for each in settings.radsec.endpoints]
    if settings.phone is not None:
        lines.append(f"  phones open {settings.phone.url}, served on {settings.phone.endpoint}")
    if settings.metrics is not None:
        lines.append(f"  metrics for a Prometheus at http://{settings.metrics}/metrics")
    if settings.portal is not None:
        lines.append(
            f"  people see to their phones at {settings.portal.url}, served on {settings.portal.endpoint}"
        )
    if settings.mail is not None:
        lines.append(f"  {_mails(settings.mail)}")
    if settings.push.apns is not None:
        lines.append(
            f"  apps called {settings.push.apns.topic} are rung by APNs, at {settings.push.apns.url}"
        )
    if settings.push.fcm is not None:
        lines.append(f"  apps of {settings.push.fcm.project} are rung by FCM, at {settings.push.fcm.url}")
    for name, more in settings.more_servers.items():
        where = ", ".join(map(str, more.authentication))
        lines.append(f"  RADIUS authentication on {where}, by `serve --name {name}`")
    files = ", ".join(dict.fromkeys(line.file for line in settings.dictionaries))
    lines += [f"  RADIUS attributes of your own in {files}"] if files else []
    lines += ["", "What follows from it:"]
    lines += [
        f"  {sentence}"
        for sentence in policy.consequences(
            clients=settings.clients, profiles=settings.profiles, policies=settings.policies
        )
    ]
    lines += [f"  {sentence}" for sentence in (*_biometrics(settings), *_at_the_portal(settings))]
    if settings.warnings:
        lines += ["", "Look at:", *(f"  {warning}" for warning in settings.warnings)]
    return "\n".join(lines)


def _mails(server: shapes.MailServer) -> str:
    how = {"starttls": "by STARTTLS", "tls": "by TLS", "none": "in clear text"}[server.security]
    told = f"; {', '.join(server.alerts)} told of *This wasn't me*" if server.alerts else ""
    return f"mails from {server.sender} through {server.host}:{server.port}, {how}{told}"


def _at_the_portal(settings: shapes.Settings) -> list[str]:
    """Who may do what on the page for people's own phones."""
    if settings.portal is None:
        return []
    enrollment = settings.enrollment
    said = []
    if enrollment.self_service:
        names = ", ".join(enrollment.self_service)
        said.append(f"the portal: people of {names} add their first phone with their password alone")
    if enrollment.portal_networks:
        networks = ", ".join(map(str, enrollment.portal_networks))
        said.append(f"the portal: nobody may use it but from {networks}")
    return said


def _biometrics(settings: shapes.Settings) -> list[str]:
    """What follows from a fingerprint or face that is required."""
    return [
        f"{profile.name} requires a fingerprint or face: whoever has none on a phone is refused "
        "(`radius-push devices` shows who)"
        for profile in settings.profiles.values()
        if profile.biometrics == "required" and "push" in profile.methods
    ]


def _counts(settings: shapes.Settings) -> str:
    users = sum(
        len(each.users)
        for each in settings.authentication_profiles.values()
        if isinstance(each, shapes.LocalProfile)
    )
    counted = [
        _count(len(settings.clients), "client"),
        _count(len(settings.authentication_profiles), "authentication profile"),
        _count(users, "local user"),
        _count(len(settings.profiles), "profile"),
        "1 policy" if len(settings.policies) == 1 else f"{len(settings.policies)} policies",
    ]
    return ", ".join(counted)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
