"""Secrets are planted wherever one can be, and searched for in everything that comes out."""

import asyncio
import base64
import gc
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import redis
import trustme
import yaml
from command_line import command
from guarded import EVERY_ACTION, bearer, digest, rule
from kube.access import Access
from kube.cluster import Cluster
from kube.kinds import EVERYTHING
from mirrors import SLOW, WAYS, mirrors
from planted import Vault
from redis_server import StartRedis, free_ports
from running import service, template, web_metric
from secret_holders import Holders
from tls_files import Files, trusting
from token_issuer import AUDIENCE, TokenIssuer, token_issuer

from gateway.runs.packing import unpack

JSON: Final = {"Content-Type": "application/json"}
YAML: Final = {"Content-Type": "application/yaml"}
_AT_ONCE: Final = 3


@dataclass
class Caller:
    """Asks a gateway, and keeps all that it says."""

    session: aiohttp.ClientSession
    token: str
    outputs: dict[str, str] = field(default_factory=dict)

    async def quote(self, method: str, path: str, content: object = None, **headers: str) -> None:
        """Make a call whose answer may quote what is wrong with it, to its caller alone."""
        await self.ask(method, path, content, **headers)
        self.outputs.popitem()

    async def ask(self, method: str, path: str, content: object = None, **headers: str) -> Any:
        """Make a call; its JSON, or its text if it is none."""
        text = content if isinstance(content, str) else json.dumps(content)
        options: dict[str, Any] = {} if content is None else {"data": text}
        named = {**bearer(self.token), **(JSON if content is not None else {}), **headers}
        async with self.session.request(method, path, headers=named, **options) as reply:
            body = await reply.text()
            head = "\n".join(f"{name}: {value}" for name, value in reply.headers.items())
            name = f"{len(self.outputs)} {method} {path}"
            self.outputs[name] = f"{reply.status} {reply.reason}\n{head}\n{body}"
            return json.loads(body) if "json" in reply.content_type else body


@asynccontextmanager
async def process(config: Path, log: Path, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """A gateway as it is deployed, whose every word goes to a file; its URL."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with log.open("wb") as words:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "serve", "--config", str(config)),
            stdout=words,
            stderr=words,
            env={**inherited, **environ},
        )
    try:
        async with asyncio.timeout(30):
            while not (found := re.search(r"https://127.0.0.1:\d+", _words(log))):
                assert running.returncode is None, _words(log)
                await asyncio.sleep(0.05)
        yield found[0]
    finally:
        if running.returncode is None:
            running.terminate()
        await asyncio.wait_for(running.wait(), 20)


def _words(log: Path) -> str:
    return log.read_text()


def in_redis(port: int, password: str) -> dict[str, str]:
    """Every key with all that it holds. Of readings the key alone: docs/redis.md#what-is-stored."""
    client = redis.Redis(port=port, password=password)
    found: dict[str, str] = {}
    for key in client.scan_iter(count=1000):
        kind = client.type(key).decode()
        value: Any = b""
        if not key.endswith(b":reading"):
            # It may have gone in between.
            value = _READS[kind](client, key) if kind in _READS else b""
        found[f"Redis {key.decode()}"] = key.decode() + _text(value)
    client.close()
    return found


_READS: Final[Mapping[str, Any]] = {
    "string": lambda client, key: client.get(key),
    "hash": lambda client, key: client.hgetall(key),
    "list": lambda client, key: client.lrange(key, 0, -1),
    "set": lambda client, key: client.smembers(key),
    "zset": lambda client, key: client.zrange(key, 0, -1),
    "stream": lambda client, key: client.xrange(key),
}


def _text(value: Any) -> str:
    match value:
        case bytes():
            try:
                return str(unpack(value))
            except ValueError:
                return value.decode("utf-8", "replace")
        case dict():
            return _text([*value.items()])
        case list() | tuple() | set():
            return "\n".join(map(_text, value))
        case _:
            return str(value)


@dataclass
class Scene:
    """All that a gateway of these tests is surrounded by."""

    folder: Path
    holders: Holders
    urls: Mapping[str, str]
    issuer: TokenIssuer
    cluster: Cluster
    redis_port: int
    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def vault(self) -> Vault:
        """Where the secrets are known."""
        return self.holders.vault

    def key_file(self, place: str) -> Files:
        """Certificate and key of somebody, whose key is a secret."""
        files = Files(self.folder / place)
        leaf = self.authority.issue_cert("127.0.0.1")
        files.serve(leaf, self.authority)
        self.vault.keep(f"the key of {place}", leaf.private_key_pem.bytes().decode())
        return files

    async def settings(self, log_format: str) -> dict[str, Any]:
        """Those of a gateway that knows all of them."""
        vault, folder = self.vault, self.folder
        everything = rule(
            *EVERY_ACTION,
            callers=["token:*", "jwt:*", "serviceaccount:*"],
            namespaces=["*"],
            connections=["*"],
        )
        (folder / "policy.yaml").write_text(yaml.safe_dump({"rules": [everything]}))
        known = [{"name": "alice", "sha256": digest(vault.plain("the token of alice"))}]
        (folder / "tokens.yaml").write_text(yaml.safe_dump({"tokens": known}))
        kubeconfig = await self.cluster.kubeconfig_of(EVERYTHING)
        vault.keep("the token of the kubeconfig", _of_token(Access.read(kubeconfig).token))
        client = self.key_file("client")
        secured = {
            "name": "secured",
            "url": self.urls["text"].replace("http:", "https:"),
            "caBundle": client["ca"],
            "clientCertificate": client["certificate"],
            "clientKey": client["key"],
            "namespaces": ["*"],
        }
        return {
            "port": 0,
            "namespace": "own",
            "templates": str(self.holders.templates(self.urls)),
            "secrets": str(folder / "secrets"),
            "redis": f"redis://:{vault.plain('the password of Redis')}@127.0.0.1:{self.redis_port}",
            "logLevel": "debug",
            "logFormat": log_format,
            "readings": {"hashKey": vault.plain("readings.hashKey")},
            "verdicts": {"measurementTimeout": "2s", "inlineTemplates": "allow"},
            "egress": {"inline": [{"name": "all", "hosts": ["127.0.0.1"], "ports": ["1-65535"]}]},
            "shutdown": {"delay": "0s", "grace": "1s"},
            "runs": {"shortestGap": "0s"},
            "tls": self.key_file("server").settings(),
            "connections": [*self.holders.connections(self.urls), secured],
            "kubernetes": {
                "connect": str(kubeconfig),
                "templates": [],
                "clusterTemplates": False,
                "secrets": [self.holders.namespace],
            },
            "access": {
                "policy": str(folder / "policy.yaml"),
                "tokens": str(folder / "tokens.yaml"),
                "tokenReview": {"audiences": ["https://kubernetes.default.svc"]},
                "jwt": [{"name": "ci", "issuer": self.issuer.url, "audiences": [AUDIENCE]}],
            },
        }


def _of_token(token: str) -> str:
    """What of a token is secret: of a JSON Web Token its signature."""
    return token.rpartition(".")[2]


@pytest.fixture
async def scene(
    tmp_path: Path, kubernetes: Cluster, start_redis: StartRedis
) -> AsyncIterator[Scene]:
    """Mirrors, an issuer, a cluster and a Redis with a password."""
    vault = Vault()
    (port,) = free_ports(1)
    start_redis("--requirepass", vault.plain("the password of Redis"), port=port)
    namespace = await kubernetes.namespace()
    of_cluster = {"token": vault.plain("a Secret of the cluster")}
    manifest = {"metadata": {"name": "api"}, "stringData": of_cluster}
    await kubernetes.create("secrets", namespace, manifest)
    async with mirrors(vault) as urls, token_issuer() as issuer:
        yield Scene(tmp_path, Holders(vault, tmp_path, namespace), urls, issuer, kubernetes, port)


async def verdicts_and_runs(caller: Caller, scene: Scene, ways: Sequence[str]) -> set[str]:
    """All templates for some mirrors; the phases that came of it."""
    namespace = scene.holders.namespace

    async def verdicts(way: str) -> list[str]:
        path = f"/v1/namespaces/{namespace}/analysistemplates/{way}/verdict"
        early = await caller.ask("GET", f"{path}?wait=1ms") if way == SLOW else {}
        verdict = await caller.ask("GET", f"{path}?gate=true&explain=true&wait=20s")
        found = [early, verdict, *verdict["metrics"].values()]
        return [each["phase"] for each in found if each]

    async def run(way: str) -> list[str]:
        names = {"templates": [{"templateName": way}], "namespace": namespace}
        document = await caller.ask("POST", "/v1/runs?wait=20s", names)
        place = f"/v1/runs/{document['metadata']['uid']}"
        for part in ("", "/verdict", "/events"):
            await caller.ask("GET", place + part)
        return [document["status"]["phase"]]

    # Both measure in the same way: for all of them, one or the other will do.
    is_short = len(ways) < len(WAYS)
    calls = [verdicts(way) for way in (ways if is_short else ways[1::2])]
    calls += [run(way) for way in (ways if is_short else ways[0::2])]
    found: list[str] = []
    # Not all at once: what is asked must be answered before its time is over.
    for first in range(0, len(calls), _AT_ONCE):
        for phases in await asyncio.gather(*calls[first : first + _AT_ONCE]):
            found += phases
    return set(found)


async def brought(caller: Caller, scene: Scene) -> None:
    """Templates that requests bring: with secrets, of the cluster, and what they may not use."""
    holders, url = scene.holders, scene.urls["json"]
    ref = {"name": "api", "key": "token"}
    of_cluster = {"name": "token", "valueFrom": {"secretKeyRef": ref}}
    held = template(*holders.metrics(SLOW, url), args=holders.args)
    for path in ("/v1/verdict", "/v1/runs", "/v1/lint"):
        query = "" if path == "/v1/lint" else f"?namespace={holders.namespace}&wait=5s"
        await caller.ask("POST", path + query, held)
        headers = [{"key": "X-Token", "value": "{{args.token}}"}]
        metric = web_metric(url, "result == 1")
        metric["provider"]["web"]["headers"] = headers
        await caller.ask("POST", path + query, template(metric, args=[of_cluster]))


async def what_callers_send(caller: Caller, scene: Scene) -> None:
    """Credentials of theirs, in the right place and in wrong ones."""
    plain, namespace = scene.vault.plain, scene.holders.namespace
    verdict = f"/v1/namespaces/{namespace}/analysistemplates/text/verdict"
    names = {"templates": [{"templateName": "text"}], "namespace": namespace}
    tokens = {
        "a valid JWT": scene.issuer.token(),
        "a JWT that is over": scene.issuer.token(exp=1),
        "a JWT for others": scene.issuer.token(aud="others"),
        "a service account's token": await scene.cluster.issue(()),
        "an unknown token": plain("an unknown token"),
    }
    for place, token in tokens.items():
        scene.vault.keep(place, _of_token(token))
        await caller.ask("GET", verdict, Authorization=f"Bearer {token}")
    basic = base64.b64encode(f"u:{plain('a Basic password')}".encode()).decode()
    for headers in (
        {"Authorization": f"Basic {basic}"},
        {"Authorization": f"Bearer a b {plain('a malformed header')}"},
        {"Cookie": f"session={plain('a cookie')}", "X-Api-Key": plain("an unknown header")},
        {"Proxy-Authorization": plain("a header for a proxy")},
        {"Prefer": f"wait={plain('a preference')}", "Cache-Control": plain("a directive")},
        {"X-\xe4": plain("a header that is none")},
        {"Content-Type": plain("a content type"), "Content-Encoding": plain("an encoding")},
    ):
        await caller.ask("GET", verdict, **headers)
        await caller.ask("POST", "/v1/verdict", names, **headers)
    for name in ("wait", "maxAge"):
        await caller.quote("GET", f"{verdict}?{name}={plain(f'the parameter {name}')}")
    for name in ("access_token", "gate", "args.plain", "args.in-header"):
        await caller.ask("GET", f"{verdict}?{name}={plain(f'the parameter {name}')}")
        await caller.ask("POST", f"/v1/runs?wait=5s&{name}={plain(f'the parameter {name}')}", names)
    key = {"Idempotency-Key": plain("an idempotency key")}
    for content in (names, names, {**names, "namespace": "other"}):
        await caller.ask("POST", "/v1/runs", content, **key)
    for query in ("continue", "since", "limit", "caller", "phase"):
        for path in ("/v1/audit", "/v1/runs"):
            await caller.ask("GET", f"{path}?{query}={plain(f'{query} of a list')}")
    await caller.quote("POST", "/v1/verdict", f"a: !{plain('a YAML tag')} x", **YAML)
    await caller.quote("POST", "/v1/verdict", f"a: *{plain('a YAML alias')}", **YAML)
    for content, kind in (
        (f'{{"a": "{plain("broken JSON")}', JSON),
        (f"a: [{plain('broken YAML')}", YAML),
        (json.dumps({**names, "password": plain("an unknown field")}), JSON),
        (json.dumps({**names, "namespace": [plain("a field of another type")]}), JSON),
    ):
        for path in ("/v1/verdict", "/v1/runs", "/v1/lint"):
            await caller.ask("POST", path, content, **kind)


async def all_else(caller: Caller) -> None:
    """What is there to be read."""
    for path in (
        *("/metrics", "/readyz", "/healthz", "/openapi.yaml", "/v1/templates", "/v1/connections"),
        *("/v1/runs", "/v1/runs?limit=500", "/v1/audit", "/v1/audit?limit=500"),
    ):
        await caller.ask("GET", path)


@pytest.mark.parametrize(
    ("log_format", "ways"),
    [
        pytest.param("json", WAYS, id="every way, a log for machines"),
        pytest.param("text", ("text", "refusal", SLOW), id="some ways, a log for people"),
    ],
)
async def test_no_secret_leaves_the_service(
    scene: Scene, log_format: str, ways: Sequence[str]
) -> None:
    """Answers, log at its most talkative, metrics, events, audit, and what Redis is told."""
    chosen = await scene.settings(log_format)
    config, log = scene.folder / "settings.yaml", scene.folder / "log"
    config.write_text(yaml.safe_dump(chosen))
    environ = scene.holders.environ(scene.urls)
    async with (
        process(config, log, environ) as url,
        aiohttp.ClientSession(
            url, connector=aiohttp.TCPConnector(ssl=trusting(scene.authority), limit=0)
        ) as session,
    ):
        caller = Caller(session, scene.vault.plain("the token of alice"))
        phases = await verdicts_and_runs(caller, scene, ways)
        await brought(caller, scene)
        await what_callers_send(caller, scene)
        await all_else(caller)
        stored = in_redis(scene.redis_port, scene.vault.plain("the password of Redis"))
    outputs = {**caller.outputs, **stored, "the log": _words(log)}
    assert phases == {"Successful", "Failed", "Error", "Running"}
    leaks = scene.vault.leaks(outputs)
    assert not leaks, f"{len(leaks)}\n" + "\n".join(leaks)


async def test_no_secret_leaves_the_command_line(scene: Scene) -> None:
    """What ``run`` and ``lint`` print, for people and for machines, on either stream."""
    urls = {way: scene.urls[way] for way in ("json", "cut-message")}
    folder = scene.holders.templates(urls)
    options = ("--secrets", str(scene.folder / "secrets"), "--namespace", scene.holders.namespace)
    files = [str(folder / f"{way}.yaml") for way in urls]
    calls = (("run", files[0], *options), ("run", files[1], *options, "--json"), ("lint", *files))
    ended = await asyncio.gather(*(command(*words) for words in calls))
    outputs = {
        f"{number} {stream}": text
        for number, done in enumerate(ended)
        for stream, text in (("out", done.out), ("err", done.err))
    }
    assert [done.code for done in ended] == [3, 3, 1], outputs
    leaks = scene.vault.leaks(outputs)
    assert not leaks, "\n".join(leaks)


_UNMASKED: Final = {"Judgement", "Measurement", "Outcome", "Reading", "Remembered"}
"""What was measured and said, on its way to where it is masked; so are errors and conditions."""


async def test_no_object_shows_a_secret(scene: Scene) -> None:
    """Whatever is in memory after everything was measured: its repr may end up in a traceback."""
    holders, urls = scene.holders, {way: scene.urls[way] for way in ("json", "nothing", "refusal")}
    chosen = {
        "namespace": "own",
        "templates": holders.templates(urls),
        "secrets": scene.folder / "secrets",
        "redis": f"redis://:{scene.vault.plain('the password of Redis')}"
        f"@127.0.0.1:{scene.redis_port}",
        "readings": {"hashKey": scene.vault.plain("readings.hashKey")},
        "connections": [*holders.connections(urls)],
    }
    environ = holders.environ(urls | {"failure": urls["refusal"]})
    # What other tests left behind is kept, so that nothing new has the address of it.
    others = [each for each in gc.get_objects() if _is_ours(each)]
    known = {id(each) for each in others}
    async with service(scene.folder / "state", environ=environ, **chosen) as gateway:
        for way in urls:
            path = f"/v1/namespaces/{holders.namespace}/analysistemplates/{way}/verdict"
            assert (await gateway.get(path)).status == 200
            names = {"templates": [{"templateName": way}], "namespace": holders.namespace}
            await gateway.post("/v1/runs?wait=5s", names)
        ours = [each for each in gc.get_objects() if _is_ours(each) and id(each) not in known]
        shown = {f"{number} {type(each).__name__}": repr(each) for number, each in enumerate(ours)}
    assert len({type(each) for each in ours}) > 100
    leaks = scene.vault.leaks(shown)
    assert not leaks, "\n".join(leaks)


def _is_ours(thing: object) -> bool:
    kind = type(thing)
    return str(kind.__module__).startswith(("gateway.", "providers.")) and not (
        isinstance(thing, BaseException)
        or kind.__name__ in _UNMASKED
        or str(kind.__module__).startswith(("gateway.expr.", "providers._jsonpath."))
    )
