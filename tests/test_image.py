"""The image and what compose.yaml puts around it, as far as files tell; the rest: make image."""

import json
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends import Play, backend
from guarded import bearer
from packaging.requirements import Requirement
from redis_server import RedisServer
from running import service

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD, FINAL = runpy.run_path(str(ROOT / "tools/dockerfile.py"))["read_stages"](
    (DOCKER / "Dockerfile").read_text()
)
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CHARTS = "../charts/analysis-gateway/dashboards"
INSIDE = "/etc/analysis-gateway"
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)( ;.*)? \\$", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """The versions in a lock file."""
    return {package: version for package, version, _ in PIN.findall((DOCKER / name).read_text())}


@pytest.mark.parametrize("text", PROJECT["project"]["dependencies"])
def test_the_lock_has_what_the_project_wants(text: str) -> None:
    """After a change of pyproject.toml: make lock."""
    wanted = Requirement(text)
    assert wanted.specifier.contains(pins("requirements.lock")[wanted.name])


def test_the_image_has_what_amazon_needs() -> None:
    """And what its wheel is built with."""
    (aws,) = map(Requirement, PROJECT["project"]["optional-dependencies"]["aws"])
    (hatchling,) = map(Requirement, PROJECT["build-system"]["requires"])
    assert aws.specifier.contains(pins("requirements.lock")[aws.name])
    assert hatchling.specifier.contains(pins("build.lock")[hatchling.name])


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_all_that_is_locked_has_a_hash(name: str) -> None:
    """An index that is taken over cannot slip anything in."""
    entries = re.split(r"^(?=[a-z0-9])", (DOCKER / name).read_text(), flags=re.MULTILINE)
    assert len(entries) == len(pins(name)) + 1
    assert all("--hash=sha256:" in entry for entry in entries[1:])


@pytest.mark.parametrize("path", ["docker/Dockerfile", "examples/provider-plugin/Dockerfile"])
def test_a_dockerfile_has_no_findings(path: str) -> None:
    """Of hadolint."""
    program = Path(sys.executable).with_name("hadolint")
    command = [str(program), str(ROOT / path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_build_context_has_what_is_copied_and_nothing_else() -> None:
    """The line in .dockerignore lets through what a COPY names."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for stage in (BUILD, FINAL)
        for text in stage.all("COPY")
        if not text.startswith("--from=")
        for source in text.split()[:-1]
    }
    assert lines[1] == "*"
    assert let_through == copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_is_not_roots_and_says_what_it_is() -> None:
    """By number, so that a cluster sees that it is not root."""
    assert FINAL.last("USER") == "65532:65532"
    assert json.loads(FINAL.last("ENTRYPOINT")) == ["/opt/analysis-gateway/bin/analysis-gateway"]
    (labels,) = FINAL.all("LABEL")
    for name in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels
    # hadolint knows of no compilers.
    assert not re.search(r"gcc|build-essential|-dev\b", " ".join(FINAL.all("RUN")))


@pytest.mark.parametrize("name", SERVICES)
def test_a_neighbour_is_named_by_its_version_and_has_few_rights(name: str) -> None:
    """No ``latest``, no new privileges, and no port that others than this machine reach."""
    its = SERVICES[name]
    assert re.fullmatch(r"[a-z./-]+:(local|v?\d+\.[\w.-]+)", its["image"])
    assert its["cap_drop"] == ["ALL"]
    assert its["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in its.get("ports", ()))
    assert its.get("read_only") or name in {"prometheus", "grafana"}


def test_an_image_is_built_once() -> None:
    """Two services that build the same one fail each other: they do so at the same time."""
    built = [its["image"] for its in SERVICES.values() if "build" in its]
    assert built == ["analysis-gateway:local"]


@pytest.mark.parametrize(
    "source",
    sorted(
        source
        for its in SERVICES.values()
        for source in (volume.partition(":")[0] for volume in its.get("volumes", ()))
        if source.startswith(".") and source != CHARTS
    ),
)
def test_what_is_mounted_is_there(source: str) -> None:
    """Docker would make an empty folder of it."""
    assert (DOCKER / source).exists()


def test_grafana_gets_the_dashboards_of_the_chart() -> None:
    """Where its provider looks for them."""
    provider = yaml.safe_load((DOCKER / "compose/grafana/dashboards.yaml").read_text())
    (folder,) = (each["options"]["path"] for each in provider["providers"])
    assert f"{CHARTS}:{folder}:ro" in SERVICES["grafana"]["volumes"]


@pytest.mark.parametrize("name", ["color", "release", "success-rate"])
def test_the_templates_are_those_of_the_examples(name: str) -> None:
    """But for where the demo and Prometheus are."""
    text = (ROOT / f"examples/templates/{name}.yaml").read_text()
    text = text.replace("http://127.0.0.1:8081", "http://demo:8081")
    text = text.replace("http://127.0.0.1:9099", "http://prometheus:9090")
    assert (DOCKER / f"compose/templates/{name}.yaml").read_text() == text


async def test_the_gateway_of_compose_takes_the_token_that_the_page_shows(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Its settings as they stand, at other addresses."""
    text = (DOCKER / "compose/settings.yaml").read_text()
    settings = yaml.safe_load(text.replace(INSIDE, str(DOCKER / "compose")))
    assert f"{INSIDE}/settings.yaml" in SERVICES["gateway"]["command"]
    settings |= {
        "redis": redis_server.url.reveal(),
        "operations": {"host": "127.0.0.1", "port": 0},
        "host": "127.0.0.1",
    }
    (token,) = set(re.findall(r"Bearer ([\w-]+)", (ROOT / "docs/docker.md").read_text()))
    path = "/v1/namespaces/default/analysistemplates/color/verdict"
    async with backend(Play('"green"')) as demo, service(tmp_path, **settings) as gateway:
        query = f"args.demo-url={str(demo.url).rstrip('/')}"
        with_token = await gateway.get(f"{path}?{query}", **bearer(token))
        without = await gateway.get(path)
    assert (with_token.status, with_token.body["phase"]) == (200, "Successful")
    assert without.status == 401
