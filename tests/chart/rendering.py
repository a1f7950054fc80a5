"""The chart, rendered by the real Helm."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

CHART: Final = Path(__file__).resolve().parents[2] / "charts/analysis-gateway"
NAMESPACE: Final = "analysis"
KUBERNETES: Final = "1.37.0"
"""The version that is rendered for: a Helm that was built by hand takes an old one."""
FULLNAME: Final = "gw-analysis-gateway"
"""What the objects of a release called ``gw`` are called."""
Manifest = dict[str, Any]


def _tool(name: str) -> str | None:
    ours = Path(sys.prefix) / "helm" / name
    return str(ours) if ours.exists() else shutil.which(name)


HELM: Final = _tool("helm")
KUBECTL: Final = _tool("kubectl")
needs_helm: Final = pytest.mark.skipif(HELM is None, reason="there is no helm")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What Helm says."""
    assert HELM is not None
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def given(
    values: Mapping[str, Any], *, command: str, name: str = "gw", namespace: str = NAMESPACE
) -> subprocess.CompletedProcess[str]:
    """Helm's ``template``, ``lint`` or trial ``install`` of the chart with these values."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(dict(values), file)
        file.flush()
        release = {
            "lint": (str(CHART),),
            "template": (name, str(CHART)),
            "install": (name, str(CHART), "--dry-run=client"),
        }[command]
        where: tuple[str, ...] = ("--namespace", namespace)
        if command != "install":
            where += ("--kube-version", KUBERNETES)
        return helm(command, *release, *where, "--values", file.name)


class Strict(yaml.SafeLoader):
    """YAML as Kubernetes reads it: no key may stand twice, and ``1e6`` is a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as it is called
        """Refuse what safe YAML lets pass."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]  # type: ignore[no-untyped-call] # of PyYAML
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{twice} twice at {node.start_mark}"
        return super().construct_mapping(node, deep)


Strict.add_implicit_resolver(  # type: ignore[no-untyped-call] # of PyYAML
    "tag:yaml.org,2002:float", re.compile("[0-9]+e[0-9]+$"), list("0123456789")
)


class Rendered:
    """The manifests of a release."""

    def __init__(self, text: str) -> None:
        self.text = text
        documents: Iterator[Any] = yaml.load_all(text, Strict)
        self.manifests: list[Manifest] = [each for each in documents if each]

    def of(self, kind: str) -> list[Manifest]:
        """All of a kind."""
        return [each for each in self.manifests if each["kind"] == kind]

    def one(self, kind: str, name: str = FULLNAME) -> Manifest:
        """The one of a kind that has a name."""
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    @property
    def pod(self) -> Manifest:
        """The gateway's pod."""
        (deployment,) = self.of("Deployment")
        spec: Manifest = deployment["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Manifest:
        """The gateway's container."""
        (container,) = self.pod["containers"]
        assert isinstance(container, dict)
        return container

    @property
    def settings(self) -> Manifest:
        """The gateway's settings file."""
        settings: Manifest = yaml.safe_load(self.one("ConfigMap")["data"]["config.yaml"])
        return settings


def rendered(
    values: Mapping[str, Any], *, name: str = "gw", namespace: str = NAMESPACE
) -> Rendered:
    """The chart with these values."""
    return _rendered(yaml.safe_dump(dict(values)), name, namespace)


@cache
def _rendered(values: str, name: str, namespace: str) -> Rendered:
    done = given(yaml.safe_load(values), command="template", name=name, namespace=namespace)
    assert done.returncode == 0, done.stderr
    return Rendered(done.stdout)


def refusal(values: Mapping[str, Any]) -> str:
    """What Helm says of values that do not fit."""
    done = given(values, command="template")
    assert done.returncode != 0, done.stdout
    return done.stderr
