"""What operators and their tools ask for."""

import asyncio
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from backends import Play, backend
from redis_server import RedisServer
from running import service, template, until, web_metric

from gateway.api import audit, parameters, run_parameters

DATA = Path(__file__).parents[1] / "data"


async def test_metrics_tell_of_verdicts_and_parts(tmp_path: Path) -> None:
    """A verdict moves the counters; the last value is shown with its time."""
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "broken.yaml").write_text("a: [")
    async with backend(Play("0.5")) as upstream:
        manifest = template(web_metric(upstream.url, "result > 0.4", name="rate"))
        (folder / "t.yaml").write_text(yaml.safe_dump(manifest))
        async with service(tmp_path / "s", templates=folder) as gateway:
            for _ in range(2):
                await gateway.get("/v1/namespaces/default/analysistemplates/t/verdict")
            await gateway.post("/v1/verdict", manifest)
            reply = await gateway.get("/metrics")
            preferred = await gateway.get("/metrics", Accept="application/openmetrics-text")
    lines = {line for line in reply.text.splitlines() if not line.startswith("#")}
    assert {
        'analysis_gateway_verdicts_total{namespace="default",phase="Successful",template="t"} 2.0',
        (
            'analysis_gateway_verdicts_total{namespace="default",phase="Successful",'
            'template="inline"} 1.0'
        ),
        'analysis_gateway_metric_last_value{metric="rate",namespace="default",template="t"} 0.5',
        # What comes with a request has readings of its own.
        'analysis_gateway_readings_total{cache="hit"} 1.0',
        'analysis_gateway_readings_total{cache="miss"} 2.0',
        "analysis_gateway_upstream_queries_in_flight 0.0",
        "analysis_gateway_store_up 1.0",
        'analysis_gateway_templates{kind="AnalysisTemplate"} 1.0',
        'analysis_gateway_templates{kind="ClusterAnalysisTemplate"} 0.0',
        "analysis_gateway_broken_template_files 1.0",
    } <= lines
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    assert preferred.headers["Content-Type"].startswith("application/openmetrics-text")


async def test_health_readiness_and_contract(tmp_path: Path) -> None:
    """Alive, ready with details, and the contract as YAML."""
    async with service(tmp_path) as gateway:
        alive = await gateway.get("/healthz")
        ready = await gateway.get("/readyz")
        gateway.gateway.health.is_ready = False
        unready = await gateway.get("/readyz")
        contract = await gateway.get("/openapi.yaml")
    assert (alive.status, alive.body) == (200, {"status": "ok"})
    assert (ready.status, ready.body["ready"], ready.body["store"]["state"]) == (200, True, "up")
    assert ready.body["templates"] == {"count": 0, "broken": []}
    assert (unready.status, unready.body["ready"]) == (503, False)
    assert yaml.safe_load(contract.text)["openapi"] == "3.1.0"


async def test_a_redis_that_dies_shows_and_stops_nothing(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Verdicts go on; readiness, metrics and recovery tell of it."""
    async with (
        backend(Play("1")) as upstream,
        service(tmp_path, redis=redis_server.url.reveal()) as gateway,
    ):
        content = template(web_metric(upstream.url, "result == 1"))
        redis_server.kill()
        replies = [await gateway.post("/v1/verdict?maxAge=0", content) for _ in range(3)]
        ready = await gateway.get("/readyz")
        metrics = await gateway.get("/metrics")
        redis_server.start()
        details = gateway.gateway.health.details["store"]
        await until(lambda: details()["state"] == "up")
    assert [each.body["phase"] for each in replies] == ["Successful"] * 3
    assert (ready.status, ready.body["store"]["state"]) == (200, "down")
    assert "analysis_gateway_store_up 0.0" in metrics.text
    assert "analysis_gateway_store_errors_total" in metrics.text


def test_the_contract_lists_what_is_served() -> None:
    """Every parameter that the code knows is in the contract, and the other way round."""
    contract = yaml.safe_load(files("gateway.api").joinpath("openapi.yaml").read_text())
    calls = {
        "getVerdict": parameters.OF_NAMESPACED,
        "getClusterVerdict": parameters.OF_OTHERS,
        "postVerdict": parameters.OF_OTHERS,
        "postRun": run_parameters.OF_NEW,
        "getRuns": run_parameters.OF_LIST,
        "getRun": run_parameters.OF_ONE,
        "getRunVerdict": run_parameters.OF_VERDICT,
        "getRunEvents": run_parameters.OF_EVENTS,
        "getAudit": audit.OF_AUDIT,
        "deleteRun": frozenset[str](),
        "terminateRun": frozenset[str](),
    }
    shared = contract["components"]["parameters"]
    described = {}
    for path in contract["paths"].values():
        for call in path.values():
            refs = [each["$ref"].rpartition("/")[2] for each in call.get("parameters", ())]
            described[call["operationId"]] = {
                shared[ref]["name"] for ref in refs if shared[ref]["in"] == "query"
            } - {"args", "labels"}
    assert {name: described[name] for name in calls} == calls


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--port", "99999"], "port: Input should be less than", id="no-such-port"),
        pytest.param(["--redis", "http://x"], "Redis URL", id="no-redis-url"),
        pytest.param(["--state", "/dev/null/x"], "state folder cannot be used", id="no-folder"),
        pytest.param(["--config", "/nowhere"], "/nowhere: cannot be read", id="no-settings"),
        pytest.param(
            ["--config", str(DATA / "settings_of_no_certificate.yaml")],
            "tls.certificate: /nowhere cannot be read: No such file or directory",
            id="no-certificate",
        ),
        pytest.param(
            ["--config", str(DATA / "settings_of_no_address.yaml"), "--port", "0"],
            "cannot listen on 192.0.2.1 port 1: ",
            id="no-such-address",
        ),
        pytest.param(
            ["--config", str(DATA / "settings_of_no_cluster.yaml")],
            "kubernetes.connect: /nowhere cannot be used to reach a cluster",
            id="no-cluster",
        ),
        pytest.param(
            ["--host", "0.0.0.0"],
            "host '0.0.0.0' can be reached by others, and nothing says who of them may ask",
            id="everybody-may-ask",
        ),
        pytest.param(
            ["--config", str(DATA / "settings_of_no_policy.yaml")],
            "access.policy: /nowhere/policy.yaml: cannot be read: No such file or directory",
            id="no-policy",
        ),
    ],
)
async def test_a_start_that_cannot_be_is_one_sentence(
    tmp_path: Path, options: list[str], words: str
) -> None:
    """The process ends with exit code 4 and says why, without a traceback."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--state", str(tmp_path), *options),
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 4
    assert words in told.decode()
    assert "Traceback" not in told.decode()
