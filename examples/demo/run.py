"""Run the demo, a Prometheus that scrapes it, and the gateway that judges it, until Ctrl-C.

Everything listens on the loopback address and keeps its files under ``.run/``.
"""

import argparse
import asyncio
import json
import os
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60
STOPPED_WITHIN_S = 30
POLL_S = 0.5
LOG_TAIL_LINES = 15
DEFAULT_PORTS = {"gateway": 8080, "demo": 8081, "prometheus": 9099}
HOST = "127.0.0.1"


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the programs that make up the demo."""

    name: str
    command: tuple[str, ...]
    log: Path

    def last_words(self) -> str:
        """The end of the log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines) or "  (it printed nothing)"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the demo listens and where it keeps its files."""

    ports: dict[str, int]
    directory: Path

    def url(self, name: str) -> str:
        """The address of one part, without a trailing slash."""
        return f"http://{HOST}:{self.ports[name]}"

    def verdict_url(self, template: str) -> str:
        """The question to the gateway; names an argument only where its default does not fit."""
        path = f"{self.url('gateway')}/v1/namespaces/default/analysistemplates/{template}/verdict"
        query = self._query({"color": ("demo",), "success-rate": ("prometheus",)}[template])
        return f"{path}?{query}" if query else path

    def run_url(self) -> str:
        """Where a run of the example for pipelines is started and waited for."""
        query = self._query(("demo", "prometheus"))
        url = f"{self.url('gateway')}/v1/runs?wait=10m&gate=true&args.service=demo"
        return f"{url}&{query}" if query else url

    def _query(self, parts: tuple[str, ...]) -> str:
        args = {"demo": "args.demo-url", "prometheus": "args.prometheus-address"}
        moved = (part for part in parts if self.ports[part] != DEFAULT_PORTS[part])
        return urlencode({args[part]: self.url(part) for part in moved}, safe=":/")

    def parts(self) -> tuple[Part, ...]:
        """The programs in the order in which they start."""
        commands = {
            "demo": (
                *(sys.executable, str(ROOT / "examples/demo/app.py")),
                *("--port", str(self.ports["demo"])),
            ),
            "prometheus": (
                "prometheus",
                f"--config.file={self.directory / 'prometheus.json'}",
                f"--storage.tsdb.path={self.directory / 'prometheus'}",
                f"--web.listen-address={HOST}:{self.ports['prometheus']}",
                "--log.level=warn",
            ),
            "gateway": (
                *(str(Path(sys.executable).with_name("analysis-gateway")), "serve"),
                *("--templates", str(ROOT / "examples/templates")),
                *("--state", str(self.directory / "state")),
                *("--host", HOST, "--port", str(self.ports["gateway"])),
                *("--namespace", "default"),
            ),
        }
        return tuple(
            Part(name, command, self.directory / f"{name}.log")
            for name, command in commands.items()
        )

    def prepare(self) -> None:
        """Write Prometheus's configuration and forget what it scraped last time."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # Samples of an earlier demo would count in the first minute's rates of this one.
        shutil.rmtree(self.directory / "prometheus", ignore_errors=True)
        job = {
            "job_name": "demo",
            "static_configs": [{"targets": [f"{HOST}:{self.ports['demo']}"]}],
        }
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [job],
        }
        # Every JSON document is a YAML document.
        (self.directory / "prometheus.json").write_text(json.dumps(config))


def check_ports(layout: Layout) -> None:
    """Raise DemoFailed for the first port that another program holds."""
    for name, port in layout.ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise DemoFailed(
                    f"port {port}, which the {name} needs, cannot be used ({error.strerror}): stop "
                    f'what listens there, or choose another: make run ARGS="--{name}-port 12345"'
                ) from error


@asynccontextmanager
async def running(part: Part) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start one part; on the way out ask it to stop, and insist if it does not."""
    with part.log.open("wb") as log:
        # A session of its own keeps the terminal's Ctrl-C to us, so that the parts stop in order;
        # setpriv stops the part even if we are killed and cannot ask it.
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "INT", *part.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            # As Ctrl-C would: the gateway then does not wait for load balancers to notice.
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), STOPPED_WITHIN_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def ask(session: aiohttp.ClientSession, url: str) -> str:
    """The phase of a verdict; if there is none, the answer or the reason why none came."""
    try:
        async with session.get(url, headers={"Cache-Control": "no-cache"}) as response:
            answer = await response.json(content_type=None)
            return str(answer["reason"] if answer["phase"] == "Error" else answer["phase"])
    except (aiohttp.ClientError, json.JSONDecodeError, LookupError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


async def wait_until_judged(layout: Layout) -> None:
    """Return when both examples have a verdict: then every part does its work.

    Raises:
        DemoFailed: if one of them has none after ``READY_WITHIN_S`` seconds.

    """
    answer = url = ""
    try:
        async with (
            asyncio.timeout(READY_WITHIN_S),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
        ):
            for url in map(layout.verdict_url, ("color", "success-rate")):
                # Prometheus needs two scrapes before it knows a rate, and tells nobody when it has.
                while (answer := await ask(session, url)) != "Successful":  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise DemoFailed(
            f"no verdict within {READY_WITHIN_S} s: {url} still says: {answer}; the logs are in "
            f"{layout.directory}/"
        ) from error


async def watch(part: Part, process: asyncio.subprocess.Process) -> None:
    """Raise DemoFailed when the part ends: nobody told it to."""
    status = await process.wait()
    raise DemoFailed(f"the {part.name} ended with status {status}:\n{part.last_words()}")


def greeting(layout: Layout) -> str:
    """What to try, as lines to paste."""
    demo, color = layout.url("demo"), layout.verdict_url("color")
    rate = layout.verdict_url("success-rate")
    gate = f"{color}{'&' if '?' in color else '?'}gate=true"
    return f"""
Ready. The gateway shows its page at {layout.url("gateway")}/, the demo its colour at {demo}/,
and Prometheus its data at {layout.url("prometheus")}/.

Ask for a verdict:
  curl '{color}'
  curl '{rate}'
Let the status code speak, as a pipeline would (200 passes, 417 fails):
  curl --fail-with-body '{gate}'
Run a whole analysis, of ten seconds, and wait for its end:
  curl --fail-with-body --data-binary @examples/templates/release.yaml '{layout.run_url()}'
Release the bad version. The colour fails within 5 seconds, which is how old a reading may be,
the success rate within 25, because its query looks back over a minute:
  curl -X POST {demo}/version/bad
Return to the good one. The colour passes within 5 seconds, the success rate within 50:
  curl -X POST {demo}/version/good

The logs are in {layout.directory}/. Ctrl-C stops everything."""


async def run(layout: Layout) -> None:
    """Start all parts, greet, and stay until one of them ends: that is a DemoFailed."""
    check_ports(layout)
    layout.prepare()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as watchers:
        for part in layout.parts():
            print(f"starting {part.name}: {shlex.join(part.command)}", flush=True)
            process = await stack.enter_async_context(running(part))
            watchers.create_task(watch(part, process))
        await wait_until_judged(layout)
        print(greeting(layout), flush=True)


async def run_until_signal(layout: Layout) -> None:
    """As ``run``, but SIGINT, SIGTERM and SIGHUP end it in good order."""
    task = asyncio.create_task(run(layout))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        print("stopped")


def parse_layout(arguments: list[str]) -> Layout:
    """Ports from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, port in DEFAULT_PORTS.items():
        parser.add_argument(f"--{name}-port", type=int, default=port, metavar="PORT")
    parser.add_argument("--directory", type=Path, default=ROOT / ".run")
    options = vars(parser.parse_args(arguments))
    return Layout({name: options[f"{name}_port"] for name in DEFAULT_PORTS}, options["directory"])


def main() -> None:
    """Run the demo; leave with status 1 and a reason when it cannot go on."""
    try:
        asyncio.run(run_until_signal(parse_layout(sys.argv[1:])))
    except* DemoFailed as failed:
        sys.exit("\n".join(f"demo: {error}" for error in failed.exceptions))


if __name__ == "__main__":
    main()
