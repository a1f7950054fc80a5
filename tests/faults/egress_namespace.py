"""A gateway in a network of its own, where every address there is belongs to this machine.

Usage: python egress_namespace.py FOLDER

Must run in network and mount namespaces of its own. Whatever is connected to at one of the ports,
at whatever address, is noted. Starts a gateway, tries all tricks, prints what came of each as JSON.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import aiohttp
import yaml
from ears import ears
from egress_trial import answer, ask, tried
from egress_tricks import EVERYWHERE, GOOD_ADDRESS, NAMES, RULES, ZONE
from name_server import name_server

PORTS = (80, 443, 8080)
OWN_PORT = 18080
GATEWAY = f"http://127.0.0.1:{OWN_PORT}"
VALUES = {"port": 8080, "host": "good.corp.example", "good": "good.corp.example:80"}
NETWORK = """
ip link set lo up
ip address add 192.0.2.2/32 dev lo
ip -6 address add 2001:db8::2/128 dev lo
ip route add local 0.0.0.0/0 dev lo
ip -6 route add local ::/0 dev lo
mount --bind {folder}/resolv.conf /etc/resolv.conf
mount --bind {folder}/hosts /etc/hosts
mount --bind {folder}/nsswitch.conf /etc/nsswitch.conf
"""
FILES = {
    "resolv.conf": "nameserver 127.0.0.1\nsearch corp.example\noptions attempts:1 timeout:2\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost\n",
    "nsswitch.conf": "hosts: files dns\n",
}


def set_up(folder: Path) -> None:
    """Make every address one of this machine, and have names looked up here."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    settings = {
        "port": OWN_PORT,
        "state": str(folder / "state"),
        "templates": str(folder / "templates"),
        "egress": {"inline": RULES, "inlineRedirects": "same-origin"},
    }
    (folder / "templates").mkdir()
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    subprocess.run(["sh", "-ec", NETWORK.format(folder=folder)], check=True)


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A gateway as a command, whose environment names a proxy that it must not use."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "10.9.9.9")
    environ = {**os.environ, **{name: f"http://{host}:8080" for name, host in proxies.items()}}
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(folder / "settings.yaml")]
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stderr=(folder / "log").open("w")
    )
    try:
        async with aiohttp.ClientSession() as session:
            await _until_ready(session, process)
            yield session
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(session: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(30):
        while process.returncode is None:
            try:
                async with session.get(f"{GATEWAY}/readyz") as response:
                    if response.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise SystemExit("the gateway has not started")


async def main(folder: Path) -> None:
    """Try all tricks."""
    set_up(folder)
    places = [(host, port) for port in PORTS for host in ("0.0.0.0", "::")]
    async with (
        name_server(ZONE, "127.0.0.1", 53) as asked,
        ears(places, partial(answer, GOOD_ADDRESS)) as heard,
        gateway(folder) as session,
    ):
        trials = {
            trick.id: asdict(await tried(session, GATEWAY, trick, heard, **VALUES))
            for trick in (*EVERYWHERE, *NAMES)
        }
        allowed = await ask(session, GATEWAY, {"web": {"url": "http://good.corp.example/"}})
    looked_up = sorted({name for name, _ in asked})
    result = {"trials": trials, "allowed": allowed["phase"], "looked_up": looked_up}
    print(json.dumps(result))  # noqa: T201 - for the test


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
