"""FreeRADIUS as the oracle: what it accepts from our test clients, they may ask of us."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from tests.directory.certificates import Certificate
from tests.interop.lab import SECRET, Lab, Program, free_port

PROGRAM = "/usr/sbin/freeradius"

SERVER = """\
name = radiusd
confdir = {folder}
logdir = {folder}
run_dir = {folder}
libdir = /usr/lib/freeradius
pidfile = {folder}/radiusd.pid
max_request_time = 70
security {{
    reject_delay = 0
    status_server = yes
    allow_vulnerable_openssl = yes
}}
thread pool {{
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
    always ok {{
        rcode = ok
    }}
}}
"""

ORACLE = """\
proxy_requests = no
client gateway {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
}}
clients tls {{
    client branch {{
        ipaddr = 127.0.0.1
        proto = tls
        secret = radsec
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    {over_tls}
    authorize {{
        files
        chap
        mschap
        pap
        Autz-Type Status-Server {{
            ok
            update reply {{
                &Message-Authenticator := 0x00
            }}
        }}
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

OVER_TLS = """\
listen {{
        type = auth
        proto = tcp
        ipaddr = 127.0.0.1
        port = {port}
        clients = tls
        tls {{
            certificate_file = {own.certificate}
            private_key_file = {own.key}
            ca_file = {authority}
            require_client_cert = yes
            tls_min_version = "1.2"
            tls_max_version = "1.3"
        }}
    }}
"""

PROXY = """\
proxy_requests = yes
client gateway {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
}}
home_server far {{
    type = auth
    ipaddr = 127.0.0.1
    port = {to}
    proto = tcp
    secret = radsec
    response_window = 60
    status_check = {status_check}
    check_interval = 6
    tls {{
        certificate_file = {own.certificate}
        private_key_file = {own.key}
        ca_file = {authority}
        tls_min_version = "1.2"
        tls_max_version = "1.3"
    }}
}}
home_server_pool far {{
    home_server = far
}}
realm far {{
    auth_pool = far
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        update control {{
            &Proxy-To-Realm := "far"
        }}
    }}
}}
"""


@dataclass(frozen=True)
class FreeRadius:
    program: Program
    port: int
    """UDP, on 127.0.0.1, with the lab's secret."""
    tls_port: int | None = None


def start_freeradius(
    lab: Lab, users: str, *, own: Certificate | None = None, authority: Path | None = None
) -> FreeRadius:
    """Decides itself. `users` in the words of its users file: `alice Cleartext-Password := "..."`.
    With a certificate of its `own` it also listens for RadSec clients whose certificate `authority` signed.
    """
    port, tls_port = free_port(socket.SOCK_DGRAM), None if own is None else free_port()
    folder = settings_folder(lab, "freeradius")
    (folder / "users").write_text(users)
    over_tls = "" if own is None else OVER_TLS.format(port=tls_port, own=own, authority=authority)
    settings = (SERVER + ORACLE).format(folder=folder, port=port, secret=SECRET, over_tls=over_tls)
    (folder / "radiusd.conf").write_text(settings)
    return FreeRadius(run_freeradius(lab, folder), port, tls_port)


def start_freeradius_proxy(
    lab: Lab, *, to: int, own: Certificate, authority: Path, status_check: str = "none"
) -> FreeRadius:
    """Decides nothing: a RadSec client of the server at 127.0.0.1:`to`. `status-server` asks if it lives."""
    port = free_port(socket.SOCK_DGRAM)
    folder = settings_folder(lab, "freeradius-proxy")
    (folder / "users").write_text("")
    settings = (SERVER + PROXY).format(
        folder=folder,
        port=port,
        secret=SECRET,
        to=to,
        own=own,
        authority=authority,
        status_check=status_check,
    )
    (folder / "radiusd.conf").write_text(settings)
    return FreeRadius(run_freeradius(lab, folder), port)


def settings_folder(lab: Lab, name: str) -> Path:
    folder = lab.folder / f"{name}-{len(lab.programs)}"
    folder.mkdir(mode=0o750)
    (folder / "dictionary").write_text("")  # it wants one of its own beside the standard ones
    return folder


def run_freeradius(lab: Lab, folder: Path) -> Program:
    program = lab.start(folder.name, PROGRAM, "-d", str(folder), "-n", "radiusd", "-f", "-l", "stdout")
    program.wait_until_it_says("Ready to process requests")
    return program
