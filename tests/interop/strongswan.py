"""A real IPsec VPN: strongSwan's charon as the IKEv1 gateway, another charon as the person's laptop.

The gateway proves itself by a pre-shared key, the person by XAuth, which it passes on to RADIUS as PAP.
ESP is done in user space (kernel-libipsec), for kernels that have none.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.interop.lab import SECRET, Lab, Network, Program, run, wait_until

CHARON = "/usr/lib/ipsec/charon"
INSIDE = "10.196.0.1"
"""What the tunnel leads to: an address behind the gateway."""

PLUGINS = (
    "random nonce openssl pem pkcs1 pubkey x509 hmac kdf aes sha1 sha2 "
    "kernel-libipsec kernel-netlink socket-default vici"
)

LAPTOP_CHARON = """\
charon {{
  load_modular = no
  load = {plugins} xauth-generic
  plugins {{ vici {{ socket = unix://{folder}/vici }} }}
  filelog {{ stderr {{
    default = 1
    flush_line = yes
  }} }}
}}
"""

GATEWAY_CHARON = """\
charon {{
  load_modular = no
  load = {plugins} eap-radius
  half_open_timeout = {half_open}
  plugins {{
    vici {{ socket = unix://{folder}/vici }}
    eap-radius {{
      {timers}
      servers {{ radius-push {{
        address = {net.server_address}
        auth_port = {radius}
        secret = {secret}
      }} }}
      xauth {{ }}
    }}
  }}
  filelog {{ stderr {{
    default = 1
    cfg = 2
    flush_line = yes
  }} }}
}}
"""

GATEWAY_CONNECTION = """\
connections {{ staff {{
  version = 1
  local_addrs = {net.gateway_address}
  encap = yes
  pools = laptops
  local {{
    auth = psk
    id = vpn.test
  }}
  remote {{
    auth = psk
    id = %any
  }}
  remote-2 {{ auth = xauth-radius }}
  children {{ inside {{ local_ts = 10.196.0.0/24 }} }}
}} }}
pools {{ laptops {{ addrs = 10.197.1.0/24 }} }}
secrets {{ ike-staff {{ secret = "the-key-of-the-group" }} }}
"""

LAPTOP_CONNECTION = """\
connections {{ office {{
  version = 1
  remote_addrs = {net.gateway_address}
  encap = yes
  vips = 0.0.0.0
  local {{
    auth = psk
    id = laptop
  }}
  local-2 {{
    auth = xauth-generic
    xauth_id = {user}
  }}
  remote {{
    auth = psk
    id = vpn.test
  }}
  children {{ inside {{ remote_ts = 10.196.0.0/24 }} }}
}} }}
secrets {{
  ike-staff {{ secret = "the-key-of-the-group" }}
  xauth-staff {{
    id = {user}
    secret = "{password}"
  }}
}}
"""

PATIENT = "retransmit_timeout = 30\n      retransmit_tries = 1"
"""One long try, as docs/how-to/gateways.md says; a laptop's charon starts anew after 30 s of waiting."""
DEFAULT = ""
"""As installed: at 2.0, 4.8 and 8.7 s the same packet again, at 14.2 s the end."""


@dataclass(frozen=True)
class Charon:
    """One charon and the folder that holds all that is its own: settings, control socket, run folder."""

    lab: Lab
    folder: Path
    program: Program

    def swanctl(self, *words: str) -> tuple[str, ...]:
        variables = (f"STRONGSWAN_CONF={self.folder}/strongswan.conf", f"SWANCTL_DIR={self.folder}")
        return ("env", *variables, "swanctl", *words, "--uri", f"unix://{self.folder}/vici")

    def load(self, connection: str) -> None:
        (self.folder / "swanctl.conf").write_text(connection)
        run(*self.swanctl("--load-all", "--clear"))


@dataclass(frozen=True)
class Swan:
    net: Network
    gateway: Charon
    laptop: Charon

    def dial(self, user: str, password: str) -> Program:
        """The person's laptop dials in; ends with 0 when the tunnel is up, with another code when not."""
        self.laptop.load(LAPTOP_CONNECTION.format(net=self.net, user=user, password=password))
        words = self.laptop.swanctl("--initiate", "--child", "inside", "--timeout", "100")
        return self.laptop.lab.start("swanctl", *words)

    def hang_up(self) -> None:
        subprocess.run(
            self.laptop.swanctl("--terminate", "--ike", "office"), check=False, capture_output=True
        )

    def ping_through_the_tunnel(self) -> str:
        return run("ip", "netns", "exec", self.net.client, "ping", "-c1", "-W5", INSIDE)


def start_charon(lab: Lab, name: str, settings: str, *, namespace: str) -> Charon:
    folder = lab.folder / name
    folder.mkdir()
    (folder / "strongswan.conf").write_text(settings)
    # Its pid file has a fixed name: `ip netns exec` gives it mounts of its own, and so a /run of its own.
    alone = f"mount -t tmpfs tmpfs /run && exec env STRONGSWAN_CONF={folder}/strongswan.conf {CHARON}"
    program = lab.start(name, "sh", "-c", alone, namespace=namespace)
    charon = Charon(lab, folder, program)
    wait_until(lambda: (folder / "vici").is_socket() or program.process.poll() is not None, 20, what=name)
    assert program.process.poll() is None, program.said()
    return charon


def start_swan(lab: Lab, net: Network, *, radius_port: int, timers: str, half_open: int) -> Swan:
    """`timers`: of the gateway towards RADIUS; `half_open`: its patience with a laptop, in seconds."""
    assert os.geteuid() == 0, "network namespaces are made by root"
    settings = GATEWAY_CHARON.format(
        plugins=PLUGINS,
        folder=lab.folder / "gateway",
        net=net,
        radius=radius_port,
        secret=SECRET,
        timers=timers,
        half_open=half_open,
    )
    run("ip", "-n", net.gateway, "addr", "add", f"{INSIDE}/32", "dev", "lo")
    gateway = start_charon(lab, "gateway", settings, namespace=net.gateway)
    gateway.load(GATEWAY_CONNECTION.format(net=net))
    mine = LAPTOP_CHARON.format(plugins=PLUGINS, folder=lab.folder / "laptop")
    return Swan(net, gateway, start_charon(lab, "laptop", mine, namespace=net.client))
