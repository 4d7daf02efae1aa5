"""A real OpenVPN server with its RADIUS plug-in as the gateway, openvpn as the person's laptop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.directory.certificates import Authority
from tests.interop.lab import SECRET, Lab, Network, Program, run

PROGRAM = "/usr/sbin/openvpn"
PLUGIN = "/usr/lib/openvpn/radiusplugin.so"
GATEWAY_IN_TUNNEL = "10.198.1.1"

SERVER = """\
local {net.gateway_address}
port 1194
proto udp
dev tun
topology subnet
server 10.198.1.0 255.255.255.0
ca {authority}
cert {own.certificate}
key {own.key}
dh none
verify-client-cert none
username-as-common-name
client-config-dir {folder}/clients
status {folder}/status 1
status-version 1
hand-window 90
plugin {plugin} {folder}/radiusplugin.cnf
verb 3
"""

RADIUS = """\
NAS-Identifier=OpenVpn
Service-Type=5
Framed-Protocol=1
NAS-Port-Type=5
NAS-IP-Address={net.gateway_inside}
OpenVPNConfig={folder}/server.conf
subnet=255.255.255.0
overwriteccfiles=true
useauthcontrolfile=true
server
{{
	acctport=1813
	authport=1812
	name={net.server_address}
	retry=1
	wait=60
	sharedsecret={secret}
}}
"""

LAPTOP = """\
client
remote {net.gateway_address} 1194 udp
dev tun
ca {authority}
verify-x509-name vpn.test name
auth-user-pass {folder}/laptop.password
auth-retry none
connect-retry-max 1
hand-window 90
server-poll-timeout 90
single-session
explicit-exit-notify 1
verb 3
"""


@dataclass(frozen=True)
class OpenVpn:
    lab: Lab
    net: Network
    folder: Path
    server: Program

    def dial(self, user: str, password: str) -> Program:
        """The person's laptop dials in; the program ends when the login fails."""
        file = self.folder / "laptop.password"
        file.write_text(f"{user}\n{password}\n")
        file.chmod(0o600)
        words = (PROGRAM, "--config", f"{self.folder}/laptop.conf")
        return self.lab.start("laptop", *words, namespace=self.net.client)

    def ping_through_the_tunnel(self) -> str:
        return run("ip", "netns", "exec", self.net.client, "ping", "-c1", "-W5", GATEWAY_IN_TUNNEL)


def start_openvpn(lab: Lab, net: Network) -> OpenVpn:
    """It asks 1812 and 1813 of the network's server: its plug-in reads four digits of a port, and no more."""
    folder = lab.folder / "openvpn"
    (folder / "clients").mkdir(parents=True)
    authority = Authority(folder)
    own = authority.issue("vpn.test")
    (folder / "server.conf").write_text(
        SERVER.format(net=net, folder=folder, authority=authority.file, own=own, plugin=PLUGIN)
    )
    (folder / "laptop.conf").write_text(LAPTOP.format(net=net, folder=folder, authority=authority.file))
    (folder / "radiusplugin.cnf").write_text(RADIUS.format(net=net, folder=folder, secret=SECRET))
    words = (PROGRAM, "--config", f"{folder}/server.conf")
    server = lab.start("openvpn", *words, namespace=net.gateway)
    server.wait_until_it_says("Initialization Sequence Completed")
    return OpenVpn(lab, net, folder, server)
