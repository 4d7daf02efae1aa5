"""A real VPN: ocserv as the gateway, openconnect as the person's laptop, in namespaces of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.interop.lab import SECRET, Lab, Network, Program, run, wait_until

PORT = 4443
TUNNEL = "10.199.1.0"
GATEWAY_IN_TUNNEL = "10.199.1.1"

OCSERV = """\
auth = "radius[config={folder}/radiusclient.conf,groupconfig=false]"
acct = "radius[config={folder}/radiusclient.conf]"
stats-report-time = 2
listen-host = {net.gateway_address}
tcp-port = {port}
udp-port = {port}
run-as-user = nobody
run-as-group = nogroup
socket-file = {folder}/ocserv.sock
server-cert = {folder}/gateway.pem
server-key = {folder}/gateway.key
isolate-workers = false
max-clients = 16
max-same-clients = 0
auth-timeout = 240
min-reauth-time = 1
max-ban-score = 0
cookie-timeout = 300
use-occtl = false
pid-file = {folder}/ocserv.pid
device = vpns
predictable-ips = true
default-domain = vpn.test
ipv4-network = {tunnel}
ipv4-netmask = 255.255.255.0
ping-leases = false
cisco-client-compat = true
dtls-legacy = true
"""

RADCLI = """\
nas-identifier ocserv-lab
authserver {net.server_address}:{radius}
acctserver {net.server_address}:{accounting}
servers {folder}/servers
dictionary /etc/radcli/dictionary
default_realm
radius_timeout {timeout}
radius_retries {retries}
bindaddr *
"""

SCRIPT = """\
#!/bin/sh
# Only the tunnel device gets an address; nobody's resolv.conf is touched.
case "$reason" in connect)
    ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1400}"
    ip addr add "$INTERNAL_IP4_ADDRESS/24" dev "$TUNDEV" ;;
esac
"""


@dataclass(frozen=True)
class Gateway:
    lab: Lab
    net: Network
    folder: Path

    def dial(self, user: str, password: str) -> Program:
        """The person's laptop dials in; the program ends when the login fails."""
        return self.lab.start(
            "openconnect",
            *("openconnect", "--protocol=anyconnect", f"--user={user}", "--passwd-on-stdin", "--non-inter"),
            *(f"--cafile={self.folder}/gateway.pem", f"--resolve=vpn.test:{self.net.gateway_address}"),
            *("--timestamp", "--interface=tunrp", f"--script={self.folder}/vpnc-script"),
            f"https://vpn.test:{PORT}/",
            namespace=self.net.client,
            stdin=f"{password}\n".encode(),
        )

    def ping_through_the_tunnel(self) -> str:
        # openconnect says that it is configured a moment before its script has given the device an address.
        routes = ("ip", "-n", self.net.client, "route")
        wait_until(lambda: "tunrp" in run(*routes), 5, what="a route into the tunnel")
        return run("ip", "netns", "exec", self.net.client, "ping", "-c1", "-W5", GATEWAY_IN_TUNNEL)


def start_gateway(
    lab: Lab, net: Network, *, radius_port: int, accounting_port: int, timeout: int = 60, retries: int = 1
) -> Gateway:
    """`timeout`: seconds of each of its tries; one long one, unless said otherwise."""
    folder = lab.folder / "gateway"
    folder.mkdir()
    folder.chmod(0o755)
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=vpn.test"),
        *("-addext", "subjectAltName=DNS:vpn.test", "-keyout", f"{folder}/gateway.key"),
        *("-out", f"{folder}/gateway.pem"),
    )
    (folder / "servers").write_text(f"{net.server_address} {SECRET}\n")
    (folder / "radiusclient.conf").write_text(
        RADCLI.format(
            net=net,
            folder=folder,
            radius=radius_port,
            accounting=accounting_port,
            timeout=timeout,
            retries=retries,
        )
    )
    (folder / "ocserv.conf").write_text(OCSERV.format(net=net, folder=folder, port=PORT, tunnel=TUNNEL))
    script = folder / "vpnc-script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    ocserv = lab.start(
        "ocserv", "/usr/sbin/ocserv", "-f", "-d", "2", "-c", f"{folder}/ocserv.conf", namespace=net.gateway
    )
    ocserv.wait_until_it_says("listening (TCP)")
    return Gateway(lab, net, folder)
