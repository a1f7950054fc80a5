"""The whole demo, as ``make run`` starts it: real gateway, real Prometheus, real traffic."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from demo.run import DEFAULT_PORTS, DemoFailed, Layout, check_ports

ROOT = Path(__file__).resolve().parents[2]
TURNS_WITHIN_S = 40
STOPS_WITHIN_S = 40


def free_ports() -> dict[str, int]:
    """One port for each part that no program listens on."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in (one, two, three)]
    return dict(zip(DEFAULT_PORTS, ports, strict=True))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A demo beside all others that may run on this machine."""
    return Layout(free_ports(), tmp_path)


@pytest_asyncio.fixture
async def runner(layout: Layout) -> AsyncIterator[asyncio.subprocess.Process]:
    """The runner, after it said that it is ready."""
    ports = [f"--{name}-port={port}" for name, port in layout.ports.items()]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples/demo/run.py"), *ports),
        *("--directory", str(layout.directory)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    printed = []
    async for line in process.stdout:
        printed.append(line.decode())
        if line.startswith(b"Ready."):
            break
    else:
        pytest.fail(f"the demo did not start:\n{''.join(printed)}")
    yield process
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    await process.communicate()


def pid_of(name: str, runner: asyncio.subprocess.Process) -> int:
    """The process of one part."""
    children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
    names = {Path(f"/proc/{pid}/comm").read_text().strip(): int(pid) for pid in children}
    return names[name]


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client for all parts."""
    async with aiohttp.ClientSession(headers={"Cache-Control": "no-cache"}) as session:
        yield session


async def phase_of_color(session: aiohttp.ClientSession, layout: Layout) -> str:
    """What the gateway says of the example for the Web metric."""
    async with session.get(layout.verdict_url("color")) as response:
        return str((await response.json())["phase"])


async def phase_of_success_rate(session: aiohttp.ClientSession, layout: Layout) -> str:
    """What it says of the Prometheus example, its rate window cut to 5 s and posted inline."""
    template = (ROOT / "examples/templates/success-rate.yaml").read_text().replace("[1m]", "[5s]")
    async with session.post(
        layout.url("gateway") + "/v1/verdict",
        params={"args.prometheus-address": layout.url("prometheus")},
        data=template,
        headers={"Content-Type": "application/yaml"},
    ) as response:
        return str((await response.json())["phase"])


Ask = Callable[[aiohttp.ClientSession, Layout], "asyncio.Future[str]"]


async def until_phase(
    expected: str, ask: Ask, session: aiohttp.ClientSession, layout: Layout
) -> None:
    """Return once the verdict has turned; time out with the last answer otherwise."""
    async with asyncio.timeout(TURNS_WITHIN_S):
        while await ask(session, layout) != expected:  # noqa: ASYNC110  # no event crosses HTTP
            await asyncio.sleep(0.2)


async def test_verdict_follows_the_released_version(
    layout: Layout, runner: asyncio.subprocess.Process, session: aiohttp.ClientSession
) -> None:
    """Both examples pass the good version, fail the bad one and pass the good one again."""
    for version, expected in (("good", "Successful"), ("bad", "Failed"), ("good", "Successful")):
        async with session.post(layout.url("demo") + f"/version/{version}") as response:
            assert response.status == 200
        assert await phase_of_color(session, layout) == expected
        await until_phase(expected, phase_of_success_rate, session, layout)
    runner.send_signal(signal.SIGINT)
    rest, _ = await asyncio.wait_for(runner.communicate(), STOPS_WITHIN_S)
    assert (runner.returncode, rest.decode().splitlines()[-1]) == (0, "stopped")
    check_ports(layout)


async def test_whole_analysis_is_run_as_the_greeting_says(
    layout: Layout,
    runner: asyncio.subprocess.Process,  # noqa: ARG001 - it runs what is asked
    session: aiohttp.ClientSession,
) -> None:
    """The example for pipelines fails the bad version, by a status of its own."""
    async with session.post(layout.url("demo") + "/version/bad"):
        pass
    template = (ROOT / "examples/templates/release.yaml").read_bytes()
    async with session.post(layout.run_url(), data=template) as response:
        status = (await response.json())["status"]
    assert (response.status, status["phase"]) == (417, "Failed")


async def test_end_of_one_part_ends_all(layout: Layout, runner: asyncio.subprocess.Process) -> None:
    """When Prometheus dies, the rest is stopped and the runner says who died and how."""
    os.kill(pid_of("prometheus", runner), signal.SIGKILL)
    rest, _ = await asyncio.wait_for(runner.communicate(), STOPS_WITHIN_S)
    assert runner.returncode == 1
    assert "demo: the prometheus ended with status -9:\n" in rest.decode()
    check_ports(layout)


def test_taken_port_is_named(layout: Layout) -> None:
    """A port that another program holds is reported with its user and a way out."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", layout.ports["prometheus"]))
        other.listen()
        with pytest.raises(DemoFailed) as failed:
            check_ports(layout)
    port = layout.ports["prometheus"]
    assert str(failed.value) == (
        f"port {port}, which the prometheus needs, cannot be used (Address already in use): stop "
        'what listens there, or choose another: make run ARGS="--prometheus-port 12345"'
    )
