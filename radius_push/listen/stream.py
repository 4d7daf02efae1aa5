"""The door for connections: RADIUS over TCP (RFC 6613) and over TLS (RFC 6614)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network

from radius_push.client_table import ClientTable
from radius_push.listen.certificate import Trust, why_not
from radius_push.listen.connection import CLOSING_SECONDS, Connection
from radius_push.listen.reception import Reception
from radius_push.ports import Clock
from radius_push.shapes import Endpoint, Limits

BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
LOOK_SECONDS = 1.0
KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))
"""A gateway that lost its power is gone after two minutes, whatever `idle` is."""
MOST_REMEMBERED = 1000
"""Addresses that were a client's: the last ones."""
CLIENTS_SHARE = 4
"""One in so many handshakes is kept for them, whatever strangers do."""
GONE_MILLISECONDS = 30_000
"""Octets that nobody acknowledged for so long: the kernel gives the connection up."""


class StreamListener:
    """One endpoint: `open` it, then `serve` until `drain`. With `trust` it speaks TLS."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        reception: Reception,
        clock: Clock,
        limits: Callable[[], Limits],
        trust: Trust | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._reception = reception
        self._clock = clock
        self._limits = limits
        self._trust = trust
        self._socket: socket.socket | None = None
        self._server = (str(endpoint.address), endpoint.port)
        self._drained = asyncio.Event()
        self._own: list[asyncio.Task[None]] = []
        self._greeted: dict[asyncio.Task[None], socket.socket] = {}
        self._from: Counter[str] = Counter()
        self._shaking: Counter[str] = Counter()
        self._of_client: Counter[str] = Counter()
        self._were_clients: OrderedDict[str, None] = OrderedDict()
        self._connections: set[Connection] = set()
        self._somebody = asyncio.Event()
        self._nobody = asyncio.Event()
        self._second, self._accepted = 0.0, 0

    @property
    def endpoint(self) -> Endpoint:
        """As the settings have it."""
        return self._endpoint

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the port that port 0 became."""
        return self._server

    @property
    def held(self) -> int:
        """Logins that are being decided now."""
        return self._reception.held

    @property
    def connections(self) -> int:
        """Those whose client is known."""
        return len(self._connections)

    async def open(self) -> None:
        """Bind. OSError if the address can't be had. Who comes waits in the kernel for `serve`."""
        v6 = self._endpoint.address.version == 6
        self._socket = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if v6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Every connection inherits these.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in (*KEEPALIVE, (socket.TCP_USER_TIMEOUT, GONE_MILLISECONDS)):
                self._socket.setsockopt(socket.IPPROTO_TCP, option, value)
            self._socket.setblocking(False)
            self._socket.bind((str(self._endpoint.address), self._endpoint.port))
            self._socket.listen(BACKLOG)
        except BaseException:
            self._socket.close()
            self._socket = None
            raise
        host, port = self._socket.getsockname()[:2]
        self._server = (str(host), int(port))

    async def serve(self) -> None:
        """Answer until `drain`. One crashed login takes nothing else with it."""
        if self._drained.is_set():
            return
        if self._socket is None:
            await self.open()
        assert self._socket is not None  # noqa: S101  # `open` has seen to it
        try:
            async with asyncio.TaskGroup() as tasks:
                self._reception.begin(tasks)
                self._own = [
                    tasks.create_task(self._accept(self._socket, tasks), name=f"accept on {self._server}"),
                    tasks.create_task(self._look_after(), name=f"look after {self._server}"),
                ]
                await self._drained.wait()
        finally:
            self._reception.end()
            self._close()

    async def drain(self) -> int:
        """Let nobody in any more, let the held logins go (they get silence), and close. How many there
        were."""
        await self._let_nobody_in()
        # First the logins: a connection that we close ourselves must not end their questions.
        held = await self._reception.drain()
        for connection in list(self._connections):
            connection.close()
        if self._connections:
            self._nobody.clear()
            try:
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self._nobody.wait()
            except TimeoutError:
                for connection in list(self._connections):
                    connection.cut()
                await asyncio.sleep(0)
        self._drained.set()
        return held

    def use(self, trust: Trust | None, clients: ClientTable) -> None:
        """After a reload: new connections go by this, and the old ones stay whose client is still there and
        known as before."""
        same, taken_away = True, frozenset[str]()
        if trust is not None and self._trust is not None:
            same = trust.believes == self._trust.believes
            taken_away = self._trust.pinned - trust.pinned
        self._trust = trust
        for connection in list(self._connections):
            client = clients.find(ip_address(connection.source[0]), connection.certificate)
            shown = connection.certificate
            believed = same and (shown is None or shown.fingerprint not in taken_away)
            if client is None or client.name != connection.client or not believed:
                connection.count("not_known_any_more")
                connection.cut()

    def look(self) -> None:
        """Cut off who is too slow, and close what nobody uses."""
        now, idle = self._clock.monotonic(), self._limits().idle_connection
        for connection in list(self._connections):
            match connection.due(now, idle=idle):
                case None:
                    pass
                case "idle_closed":
                    self._reception.note("idle_closed")
                    connection.close()
                case end:
                    connection.count(end)
                    connection.cut()

    async def _look_after(self) -> None:
        while True:
            await self._somebody.wait()
            await asyncio.sleep(LOOK_SECONDS)
            self.look()
            if not self._connections:
                self._somebody.clear()

    async def _accept(self, listening: socket.socket, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._take_breath()
            try:
                connection, peer = await loop.sock_accept(listening)
            except OSError as problem:  # no file descriptor left, or the visitor is gone already
                why = problem.strerror or "unknown"
                self._reception.tell("not_accepted", "", "a connection was not accepted: %s", why.lower())
                await asyncio.sleep(0.1)
                continue
            source, where = (str(peer[0]), int(peer[1])), _neighbourhood(str(peer[0]))
            if not self._may_enter(source[0], where):
                connection.close()
                continue
            self._from[where] += 1
            greeting = tasks.create_task(self._greet(connection, source, where), name=f"greet {source[0]}")
            self._greeted[greeting] = connection
            self._shaking[where] += 1
            greeting.add_done_callback(partial(self._greeted_one, where))

    def _greeted_one(self, where: str, greeting: asyncio.Task[None]) -> None:
        del self._greeted[greeting]
        _one_less(self._shaking, where)

    async def _take_breath(self) -> None:
        now = self._clock.monotonic()
        if now - self._second >= 1.0:
            self._second, self._accepted = now, 0
        self._accepted += 1
        if self._accepted > self._limits().connections_per_second:
            self._reception.note("accepts_held_back")
            await asyncio.sleep(self._second + 1.0 - now)

    def _may_enter(self, address: str, where: str) -> bool:
        limits, greeted = self._limits(), len(self._greeted)
        if greeted + len(self._connections) >= limits.connections or greeted >= limits.handshakes:
            self._reception.tell("turned_away", "", "too many connections: one from %s closed", address)
            return False
        if self._from[where] >= limits.connections_per_address:
            sentence = "too many connections from %s: one more closed"
            self._reception.tell("turned_away", "", sentence, address, of="one address")
            return False
        if self._trust is None:  # then an address is all there is; with it, the certificate speaks later
            return self._reception.client_of(address) is not None
        if where in self._were_clients:
            return True
        strangers = sum(count for each, count in self._shaking.items() if each not in self._were_clients)
        room = limits.handshakes - limits.handshakes // CLIENTS_SHARE
        if self._shaking[where] >= limits.handshakes_per_address or strangers >= room:
            sentence = "too many unfinished handshakes: one from %s closed"
            self._reception.tell("turned_away", "", sentence, address, of="handshakes")
            return False
        return True

    async def _greet(self, accepted: socket.socket, source: tuple[str, int], where: str) -> None:
        """TLS, if there is any; from then on the connection is on its own."""

        def left(connection: Connection) -> None:
            if connection in self._connections:
                self._connections.remove(connection)
                _one_less(self._of_client, connection.client)
            _one_less(self._from, where)
            if not self._connections:
                self._nobody.set()

        connection = Connection(
            source=source,
            server=self._server,
            reception=self._reception,
            clock=self._clock,
            limits=self._limits,
            entered=partial(self._enter, where),
            left=left,
        )
        try:
            await self._shake_hands(accepted, connection)
        except ConnectionAbortedError:
            self._reception.tell("handshake_too_slow", "", "TLS from %s took too long", source[0])
        except OSError as error:
            why = why_not(error)
            self._reception.tell("no_tls", "", "RadSec from %s: no TLS: %s", source[0], why, of=why)
        finally:
            connection.give_up()

    async def _shake_hands(self, accepted: socket.socket, connection: Connection) -> None:
        tls: ssl.SSLContext | None = None if self._trust is None else self._trust.context
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection,
            accepted,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
            ssl_shutdown_timeout=CLOSING_SECONDS if tls else None,
        )

    def _enter(self, where: str, connection: Connection) -> bool:
        name, most = connection.client, self._limits().connections_per_client
        if self._of_client[name] >= most:
            sentence = "%s: %d connections are open already (limits.connections_per_client): one more closed"
            self._reception.tell("turned_away", name, sentence, name, most)
            return False
        self._connections.add(connection)
        self._of_client[name] += 1
        self._remember(where)
        self._somebody.set()
        return True

    def _remember(self, where: str) -> None:
        self._were_clients[where] = None
        self._were_clients.move_to_end(where)
        if len(self._were_clients) > MOST_REMEMBERED:
            self._were_clients.popitem(last=False)

    async def _let_nobody_in(self) -> None:
        greeted = dict(self._greeted)
        for task in (*self._own, *greeted):
            task.cancel()
        await asyncio.gather(*self._own, *greeted, return_exceptions=True)
        for connection in greeted.values():
            connection.close()
        self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _one_less(counted: Counter[str], what: str) -> None:
    counted[what] -= 1
    if not counted[what]:
        del counted[what]


def _neighbourhood(address: str) -> str:
    """What may be one visitor's own: an IPv4 address, or an IPv6 /64."""
    found = ip_address(address.partition("%")[0])
    return str(found) if found.version == 4 else str(ip_network((found, 64), strict=False))
