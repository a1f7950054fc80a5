"""Each place where a connection is looked at refuses by itself, whichever loop it runs in."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import aiohttp
import pytest
import uvloop
from backends import raw_server
from ears import Heard, ears

from gateway.errors import EgressRefused
from gateway.upstreams.egress import EVERYTHING, EgressPolicy, Redirects, Rule
from gateway.upstreams.guarded_connector import GuardedConnector
from gateway.upstreams.hosts import read_pattern

PORTS = (range(1, 65_536),)
ANYWHERE_IN_PUBLIC = Rule("public", hosts=(read_pattern("*"),), ports=PORTS)
LOOPBACK = Rule("loopback", hosts=(read_pattern("127.0.0.1"),), ports=PORTS)
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]

Break = Callable[[GuardedConnector, int], None]
"""Takes a guard away; is told where somebody listens."""


def nothing(_connector: GuardedConnector, _port: int) -> None:
    """All guards are in their places."""


def resolver(connector: GuardedConnector, _port: int) -> None:
    """Nobody looks at what a name leads to."""
    connector._resolver = aiohttp.ThreadedResolver()


class Misled(socket.socket):
    """A socket that connects to a port of loopback, whatever it is told."""

    port = 0

    def connect(self, _address: Any) -> None:
        """To there."""
        super().connect(("127.0.0.1", self.port))


def sockets(connector: GuardedConnector, port: int) -> None:
    """Nobody looks at what is connected to, and it is something else."""
    resolver(connector, port)

    def misled(info: Any) -> socket.socket:
        made = Misled(*info[:3])
        made.port = port
        return made

    connector._socket_factory = misled


class Nameless(socket.socket):
    """A socket that does not tell who is at its other end."""

    def getpeername(self) -> Any:
        """To nobody."""
        raise OSError


def peers(connector: GuardedConnector, _port: int) -> None:
    """Nobody knows who is connected to."""
    connector._socket_factory = lambda info: Nameless(*info[:3])


async def asked(rule: Rule, url: str, breaks: Break) -> tuple[str, list[Heard]]:
    """What is said to a request, and what is heard of it; ``{}`` is the port."""
    policy = EgressPolicy("egress.inline", (rule,), Redirects.NONE)
    async with ears() as heard:
        connector = GuardedConnector(policy, limit_per_host=2, keepalive_timeout_s=1)
        breaks(connector, heard.port)
        async with aiohttp.ClientSession(connector=connector) as session:
            try:
                async with asyncio.timeout(5), session.get(url.format(heard.port)):
                    said = "answered"
            except (EgressRefused, aiohttp.ServerDisconnectedError) as refusal:
                said = str(refusal)
        return said, await heard.settled()


def in_loop(
    factory: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, Any]
) -> Any:
    """What comes of some work in a loop of its own."""
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("url", "breaks", "message"),
    [
        pytest.param(
            "http://127.0.0.1:{}/",
            nothing,
            "egress: no rule of egress.inline allows http://127.0.0.1:{}",
            id="the-url",
        ),
        pytest.param(
            "http://localhost:{}/",
            nothing,
            "egress: localhost leads to an address that rule 'public' of egress.inline does not"
            " allow",
            id="the-answers-of-the-resolver",
        ),
        pytest.param(
            "http://localhost:{}/",
            resolver,
            "egress: localhost leads to an address that rule 'public' of egress.inline does not"
            " allow",
            id="the-address-before-it-is-connected-to",
        ),
    ],
)
def test_nothing_is_connected_to(
    loop: Callable[[], asyncio.AbstractEventLoop], url: str, breaks: Break, message: str
) -> None:
    """The request has its refusal, and nobody hears of it."""
    said, heard = in_loop(loop, asked(ANYWHERE_IN_PUBLIC, url, breaks))
    assert said.startswith(message.partition("{}")[0])
    assert heard == []


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_a_peer_that_is_somebody_else_gets_no_byte(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Should the connection lead elsewhere than it was told, nothing is sent over it."""
    said, heard = in_loop(loop, asked(ANYWHERE_IN_PUBLIC, "http://8.8.8.8:{}/", sockets))
    assert said == (
        "egress: 8.8.8.8 leads to an address that rule 'public' of egress.inline does not allow"
    )
    assert [each.data for each in heard] == [b""]


def test_a_peer_that_nobody_knows_gets_no_byte() -> None:
    """What cannot be checked is not allowed."""
    said, heard = in_loop(asyncio.new_event_loop, asked(LOOPBACK, "http://127.0.0.1:{}/", peers))
    assert (said, {each.data for each in heard}) == ("Server disconnected", {b""})


async def _kept(count: int) -> list[Heard]:
    policy = EgressPolicy("egress.inline", (LOOPBACK,), Redirects.NONE)

    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    async with ears(answer=lambda *_: answer) as heard:
        connector = GuardedConnector(policy, limit_per_host=2, keepalive_timeout_s=5)
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(count):
                await (await session.get(f"http://127.0.0.1:{heard.port}/")).read()
        return await heard.settled()


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_what_is_allowed_is_connected_to_and_kept(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Three requests go over one connection."""
    (connection,) = in_loop(loop, _kept(3))
    assert connection.data.count(b"GET / HTTP/1.1") == 3


async def _reset(times: int) -> set[str]:
    """What requests end in whose connections are reset as soon as they are there."""

    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        writer.transport.abort()

    policy = EgressPolicy("egress.inline", (LOOPBACK,), Redirects.NONE)
    connector = GuardedConnector(policy, limit_per_host=1, keepalive_timeout_s=1)
    ends = set()
    async with raw_server(reset) as url, aiohttp.ClientSession(connector=connector) as session:
        for _ in range(times):
            try:
                async with asyncio.timeout(5):
                    await session.get(url)
            except aiohttp.ClientConnectionError:
                ends.add("disconnected")
    return ends


@pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])
def test_a_peer_that_is_gone_takes_no_place(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """There is one connection at a time, and each request gets its turn."""
    assert in_loop(loop, _reset(50)) == {"disconnected"}


async def _looked_up(names: list[str]) -> int:
    """How often the system is asked for names at the same time."""
    policy = EgressPolicy("egress", (EVERYTHING,), Redirects.NONE)
    connector = GuardedConnector(policy, limit_per_host=0, keepalive_timeout_s=1)
    count = 0

    class Counting(aiohttp.ThreadedResolver):
        async def resolve(self, *given: Any) -> Any:
            nonlocal count
            count += 1
            return await super().resolve(*given)

    connector._resolver._system = Counting()  # type: ignore[attr-defined]
    async with ears() as heard, aiohttp.ClientSession(connector=connector) as session:
        gets = [partial(session.get, f"http://{name}:{heard.port}/") for name in names]
        tasks = [asyncio.ensure_future(get()) for get in gets]
        while len(heard.connections) < len(names):  # noqa: ASYNC110 - sockets know of no event
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return count


def test_who_asks_for_a_name_at_the_same_time_shares_the_answer() -> None:
    """Threads that look up names are few."""
    assert in_loop(asyncio.new_event_loop, _looked_up(["localhost"] * 5)) == 1
