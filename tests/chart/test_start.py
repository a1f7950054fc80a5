"""What the chart starts: the gateway with its files and variables, its test pod, and Valkey."""

import asyncio
import os
import shutil
import signal
import ssl
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import yaml
from certificates import Authority
from chart.matrix import MATRIX, Values, with_tokens
from chart.rendering import CHART, FULLNAME, NAMESPACE, Rendered, needs_helm, rendered
from guarded import ALICE, bearer, digest, rule
from kube.polling import until
from redis_server import RedisServer, free_ports
from running import service, template

pytestmark = needs_helm
SCRIPT: Final = CHART / "files/answers.py"
Contents = Mapping[str, Mapping[str, str]]
"""Of Secrets, by their names and keys."""


def mounted(release: Rendered, secrets: Contents, root: Path) -> None:
    """Lay out the files of the gateway's container below a folder, as Kubernetes does."""
    maps = {each["metadata"]["name"]: each["data"] for each in release.of("ConfigMap")}
    volumes = {each["name"]: each for each in release.pod["volumes"]}
    for mount in release.container["volumeMounts"]:
        volume = volumes[mount["name"]]
        place = root / mount["mountPath"].lstrip("/")
        if "emptyDir" in volume:
            place.mkdir(parents=True)
        elif "secret" in volume:
            _lay_out(place, secrets[volume["secret"]["secretName"]])
        elif "subPath" in mount:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(maps[volume["configMap"]["name"]][mount["subPath"]])
        else:
            _lay_out(place, maps[volume["configMap"]["name"]])


def _lay_out(place: Path, files: Mapping[str, str]) -> None:
    version = place / "..2026_11_28"
    version.mkdir(parents=True)
    (place / "..data").symlink_to(version.name)
    for name, text in files.items():
        (version / name).write_text(text)
        (place / name).symlink_to(f"..data/{name}")


def environment(release: Rendered, secrets: Contents) -> dict[str, str]:
    """The variables of the gateway's container."""
    found = dict[str, str]()
    for each in release.container["env"]:
        source = each.get("valueFrom", {})
        if "secretKeyRef" in source:
            reference = source["secretKeyRef"]
            found[each["name"]] = secrets[reference["name"]][reference["key"]]
        else:
            found[each["name"]] = each.get("value", NAMESPACE)
    return found


def moved(root: Path, ports: Mapping[str, int]) -> None:
    """Let the settings speak of files and ports of this machine."""
    file = root / "etc/analysis-gateway/config.yaml"
    text = file.read_text()
    for path in ("/etc/analysis-gateway", "/var/lib/analysis-gateway"):
        text = text.replace(f" {path}", f" {root}{path}")
    settings = yaml.safe_load(text)
    settings["port"] = ports["http"]
    settings["operations"]["port"] = ports["operations"]
    file.write_text(yaml.safe_dump(settings))


def command_line(pid: int) -> str:
    """What other users of a machine see of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")


async def tried(**urls: str) -> int | None:
    """How the script of the test pod ends, without patience unless it is given some."""
    variables = {"CERTIFICATES": "none", "PATIENCE_S": "0", **urls}
    process = await asyncio.create_subprocess_exec(sys.executable, str(SCRIPT), env=variables)
    return await asyncio.wait_for(process.wait(), 20)


async def status(url: str, **headers: str) -> int | None:
    """The status of an answer, None while nobody answers."""
    with suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as reply:
            return reply.status
    return None


def values(**more: Any) -> Values:
    """A release that alice may use, with a template and a Redis."""
    manifest: Any = template({"name": "m", "provider": {"web": {"url": "http://x"}}})
    manifest["metadata"] = {"name": "color", "namespace": "shop"}
    return {
        "access": {
            "tokens": {"existingSecret": "tokens"},
            "policy": {"rules": [rule("verdict")]},
        },
        "templates": {"color.yaml": manifest},
        "secrets": [{"namespace": "shop", "name": "login", "existingSecret": "login"}],
        "redis": {"existingSecret": "redis"},
        "shutdown": {"delaySeconds": 0, "graceSeconds": 5},
        **more,
    }


async def test_a_release_starts_answers_and_ends(tmp_path: Path, redis_server: RedisServer) -> None:
    """With the files, the variables and the command of its pod."""
    tokens = {"tokens": [{"name": "alice", "sha256": digest(ALICE)}]}
    secrets = {
        "tokens": {"tokens.yaml": yaml.safe_dump(tokens)},
        "login": {"password": "hush-hush"},
        "redis": {"url": redis_server.url.reveal()},
    }
    release = rendered(values())
    mounted(release, secrets, tmp_path)
    http, operations = free_ports(2)
    moved(tmp_path, {"http": http, "operations": operations})
    _, *arguments = release.container["command"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway"),
        *(each.replace("/etc/", f"{tmp_path}/etc/") for each in arguments),
        env={**os.environ, **environment(release, secrets)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        main, ready = f"http://127.0.0.1:{http}", f"http://127.0.0.1:{operations}/readyz"

        async def is_ready() -> bool:
            return await status(ready) == 200

        # As right after an installation that waited for nothing.
        assert await tried(GATEWAY=main, READY=ready, PATIENCE_S="15") == 0
        await until(is_ready)
        verdict = f"{main}/v1/namespaces/shop/analysistemplates/color/verdict"
        assert await status(verdict, **bearer(ALICE)) == 200
        assert "analysis-gateway" in redis_server.cli("keys", "*")
        process.send_signal(signal.SIGTERM)
        patience_s = release.pod["terminationGracePeriodSeconds"]
        assert await asyncio.wait_for(process.wait(), patience_s) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_test_pod_does_not_pass_an_open_gateway(tmp_path: Path) -> None:
    """Nor one that is not ready, nor one that is not there."""
    async with service(tmp_path) as gateway:
        assert await tried(GATEWAY=gateway.url, READY=f"{gateway.url}/readyz") == 1
        gateway.gateway.health.is_ready = False
        assert await tried(GATEWAY=gateway.url, READY=f"{gateway.url}/readyz") == 1
    assert await tried(GATEWAY=gateway.url, READY=f"{gateway.url}/readyz") == 1


async def test_the_test_pod_knows_a_gateway_that_wants_certificates(tmp_path: Path) -> None:
    """By a connection that is closed after TLS: not by one that nobody takes."""
    authority = Authority(tmp_path / "authority")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.load_cert_chain(authority.server())
    context.verify_mode = ssl.CERT_REQUIRED
    door = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{door.sockets[0].getsockname()[1]}"
    async with service(tmp_path) as gateway:
        ready = f"{gateway.url}/readyz"
        assert await tried(GATEWAY=url, READY=ready, CERTIFICATES="required") == 0
        assert await tried(GATEWAY=url, READY=ready, CERTIFICATES="optional") == 1
        door.close()
        assert await tried(GATEWAY=url, READY=ready, CERTIFICATES="required") == 1


@pytest.mark.parametrize(
    ("name", "gateway", "ready", "certificates"),
    [
        pytest.param(
            "as little as possible",
            f"http://{FULLNAME}:8080",
            f"http://{FULLNAME}-operations:9090/readyz",
            "none",
            id="health-has-its-port",
        ),
        pytest.param(
            "TLS without operations",
            f"https://{FULLNAME}:8080",
            f"https://{FULLNAME}:8080/readyz",
            "none",
            id="health-is-behind-tls",
        ),
        pytest.param(
            "everything",
            f"https://{FULLNAME}:8080",
            f"http://{FULLNAME}-operations:9090/readyz",
            "optional",
            id="callers-may-show-certificates",
        ),
    ],
)
def test_the_test_pod_runs_that_script(
    name: str, gateway: str, ready: str, certificates: str
) -> None:
    """And asks the Services of the release."""
    release = rendered(with_tokens(MATRIX[name]))
    (container,) = release.one("Pod", f"{FULLNAME}-test")["spec"]["containers"]
    assert container["args"][0].strip() == SCRIPT.read_text(encoding="utf-8").strip()
    assert [each["value"] for each in container["env"]] == [gateway, ready, certificates, "60"]


async def test_valkey_starts_with_its_password(tmp_path: Path) -> None:
    """Which stands in a file that only it can read, and lets nobody in without."""
    release = rendered(with_tokens(MATRIX["Valkey"]))
    stateful = release.one("StatefulSet", f"{FULLNAME}-valkey")["spec"]["template"]["spec"]
    shell, option, script = stateful["containers"][0]["command"]
    (port,) = free_ports(1)
    server = shutil.which("valkey-server") or shutil.which("redis-server")
    assert server is not None
    for was, now in (
        ("exec valkey-server", f"exec {server}"),
        ("/run/valkey", str(tmp_path)),
        ("--dir /data", f"--dir {tmp_path} --port {port}"),
    ):
        assert was in script
        script = script.replace(was, now)
    process = await asyncio.create_subprocess_exec(
        *(shell, option, script),
        env={**os.environ, "VALKEY_PASSWORD": "pass-word_1"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        client = RedisServer(tmp_path, port=port)

        async def listens() -> bool:
            return client._listens()

        await until(listens)
        assert "NOAUTH" in client.cli("ping")
        assert client.cli("-a", "pass-word_1", "--no-auth-warning", "ping") == "PONG\n"
        config = client.cli("-a", "pass-word_1", "--no-auth-warning", "config", "get", "appendonly")
        assert config.split() == ["appendonly", "yes"]
        config = client.cli("-a", "pass-word_1", "--no-auth-warning", "config", "get", "maxmemory")
        assert config.split() == ["maxmemory", str(96 * 1024 * 1024)]
        config = client.cli("-a", "pass-word_1", "--no-auth-warning", "config", "get", "*-policy")
        assert config.split() == ["maxmemory-policy", "volatile-ttl"]
        assert (tmp_path / "valkey.conf").stat().st_mode & 0o077 == 0
        assert "pass-word" not in command_line(process.pid)
    finally:
        process.kill()
        await process.wait()
