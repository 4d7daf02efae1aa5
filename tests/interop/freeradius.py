"""FreeRADIUS as the oracle: what it accepts from our test clients, they may ask of us."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from tests.interop.lab import SECRET, Lab, Program, free_port

PROGRAM = "/usr/sbin/freeradius"

SETTINGS = """\
name = radiusd
confdir = {folder}
logdir = {folder}
run_dir = {folder}
libdir = /usr/lib/freeradius
pidfile = {folder}/radiusd.pid
security {{
    reject_delay = 0
    allow_vulnerable_openssl = yes
}}
proxy_requests = no
thread pool {{
}}
client gateway {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
}}
modules {{
    files {{
        filename = {folder}/users
    }}
    pap {{
    }}
    chap {{
    }}
    mschap {{
        use_mppe = yes
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        files
        chap
        mschap
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
        Auth-Type CHAP {{
            chap
        }}
        Auth-Type MS-CHAP {{
            mschap
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


@dataclass(frozen=True)
class FreeRadius:
    program: Program
    port: int


def start_freeradius(lab: Lab, users: str) -> FreeRadius:
    """`users` in the words of its users file: `alice Cleartext-Password := "..."`, a line each."""
    port = free_port(socket.SOCK_DGRAM)
    folder = settings_folder(lab, "freeradius")
    (folder / "users").write_text(users)
    (folder / "radiusd.conf").write_text(SETTINGS.format(folder=folder, port=port, secret=SECRET))
    return FreeRadius(run_freeradius(lab, folder), port)


def settings_folder(lab: Lab, name: str) -> Path:
    folder = lab.folder / name
    folder.mkdir(mode=0o750)
    (folder / "dictionary").write_text("")  # it wants one of its own beside the standard ones
    return folder


def run_freeradius(lab: Lab, folder: Path) -> Program:
    program = lab.start(folder.name, PROGRAM, "-d", str(folder), "-n", "radiusd", "-f", "-l", "stdout")
    program.wait_until_it_says("Ready to process requests")
    return program
