"""radsecproxy as a gateway's way to RadSec: UDP in from its own machine, TLS out with a certificate."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from tests.directory.certificates import Certificate
from tests.interop.lab import SECRET, Lab, Program, free_port

PROGRAM = "/usr/sbin/radsecproxy"

SETTINGS = """\
ListenUDP 127.0.0.1:{port}
LogLevel 4
tls default {{
    CACertificateFile {authority}
    CertificateFile {own.certificate}
    CertificateKeyFile {own.key}
    TlsVersion TLS1_2:
}}
client 127.0.0.1 {{
    type udp
    secret {secret}
}}
server far {{
    host 127.0.0.1
    port {to}
    type tls
    secret radsec
    StatusServer {status_server}
    RetryCount 0
    RetryInterval 60
}}
realm * {{
    server far
}}
"""


@dataclass(frozen=True)
class RadSecProxy:
    program: Program
    port: int
    """UDP, on 127.0.0.1, with the lab's secret."""


def start_radsecproxy(
    lab: Lab, *, to: int, own: Certificate, authority: Path, status_server: str = "off"
) -> RadSecProxy:
    """A RadSec client of the server at 127.0.0.1:`to`. `status_server`: `on` asks whether it is alive."""
    port = free_port(socket.SOCK_DGRAM)
    file = lab.folder / f"radsecproxy-{len(lab.programs)}.conf"
    file.write_text(
        SETTINGS.format(
            port=port, to=to, own=own, authority=authority, secret=SECRET, status_server=status_server
        )
    )
    program = lab.start("radsecproxy", PROGRAM, "-f", "-c", str(file), "-i", str(file.with_suffix(".pid")))
    program.wait_until_it_says("TLS connection to far")
    return RadSecProxy(program, port)
