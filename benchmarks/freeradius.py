"""FreeRADIUS beside us: the smallest settings that check a PAP password against a file of users."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Target
from benchmarks.site import PASSWORD, SECRET, free_udp_port

PROGRAMS = ("freeradius", "radiusd")
"""Debian's name for it, and everybody else's."""
LIBRARIES = ("/usr/lib/freeradius", "/usr/lib64/freeradius", "/usr/lib/x86_64-linux-gnu/freeradius")
SETTINGS = """\
prefix = /usr
libdir = {libraries}
confdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
max_requests = 16384
hostname_lookups = no
proxy_requests = no
log {{
    destination = stdout
    auth = no
}}
security {{
    reject_delay = 1
    status_server = yes
    allow_vulnerable_openssl = yes
}}
client gateways {{
    ipaddr = 127.20.0.0/15
    secret = {secret}
    require_message_authenticator = yes
}}
thread pool {{
}}
modules {{
    files {{
        filename = {folder}/people
    }}
    pap {{
    }}
}}
server bench {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        files
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
    post-auth {{
        update reply {{
            &Message-Authenticator := 0x00
        }}
        Post-Auth-Type REJECT {{
            update reply {{
                &Message-Authenticator := 0x00
            }}
        }}
    }}
}}
"""
"""Everything that is not here is as it comes; `max_requests` is as Debian ships it. The clients are those of
`site.plain_site`. Versions before 3.2.5 seal replies only if they are told to."""


@dataclass(frozen=True, slots=True)
class FreeRadius:
    pid: int
    target: Target
    version: str


class NotInstalled(Exception):
    """There is no FreeRADIUS here."""


def program() -> str:
    """Where it lies. Raises NotInstalled with a sentence for the table."""
    for name in PROGRAMS:
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if found is not None:
            return found
    raise NotInstalled("FreeRADIUS is not installed here (Debian: freeradius): nothing to compare with")


@asynccontextmanager
async def freeradius(folder: Path, *, user: str) -> AsyncIterator[FreeRadius]:
    """A FreeRADIUS of our own on a free port of loopback, ready. Raises NotInstalled."""
    path, port = program(), free_udp_port()
    secret, log = SECRET.reveal().decode(), folder / "log"
    _write(folder, port=port, secret=secret, user=user)
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(path, "-f", "-l", "stdout", "-n", "radiusd", "-d", str(folder)), stdout=out, stderr=out
        )
    try:
        await _ready(process, log)
        yield FreeRadius(process.pid, Target(port, secret, user, PASSWORD), await _version(path))
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _write(folder: Path, *, port: int, secret: str, user: str) -> None:
    libraries = next((each for each in LIBRARIES if Path(each).is_dir()), LIBRARIES[0])
    (folder / "radiusd.conf").write_text(
        SETTINGS.format(folder=folder, port=port, secret=secret, libraries=libraries)
    )
    (folder / "dictionary").write_text("")
    (folder / "people").write_text(f'{user} Cleartext-Password := "{PASSWORD}"\n')


async def _ready(process: asyncio.subprocess.Process, log: Path) -> None:
    for _ in range(200):
        if "Ready to process requests" in (told := _read(log)):
            return
        if process.returncode is not None:
            break
        await asyncio.sleep(0.05)
    raise RuntimeError(f"FreeRADIUS did not start: {told[-2000:]}")


def _read(log: Path) -> str:
    return log.read_text(errors="replace")


async def _version(path: str) -> str:
    process = await asyncio.create_subprocess_exec(path, "-v", stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    words = told.decode(errors="replace").split()
    return words[words.index("Version") + 1].rstrip(",") if "Version" in words else "of unknown version"
