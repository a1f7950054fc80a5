"""What Kubernetes, the Prometheus operator and the Gateway API accept, unknown fields refused."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

OLDEST: Final = "1.27.0"
NEWEST: Final = "1.37.0"
_OF_OTHERS: Final = Path(__file__).with_name("schemas")
_ARGO: Final = {"AnalysisTemplate", "ClusterAnalysisTemplate"}
"""Judged by the gateway's own reader."""


def complaints(manifest: Mapping[str, Any], version: str) -> list[str]:
    """What is wrong with a manifest for a version of Kubernetes."""
    kind, api_version = manifest["kind"], manifest["apiVersion"]
    if kind in _ARGO:
        return []
    own = _OF_OTHERS / f"{kind.lower()}.json"
    validator = _of_others(own) if own.exists() else _of_kubernetes(kind, api_version, version)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


@cache
def _of_others(path: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


@cache
def _of_kubernetes(kind: str, api_version: str, version: str) -> Draft202012Validator:
    group, _, number = api_version.rpartition("/")
    name = "-".join(part for part in (kind.lower(), group.split(".")[0], number) if part)
    schema = schema_contents(f"{_folder(version)}/{name}.json", version)
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    definitions = schema_contents(f"{_folder(version)}/_definitions.json", version)
    return Resource.from_contents(definitions) @ Registry()


def _folder(version: str) -> str:
    return f"kubernetes-json-schema/v{version}-local-strict"
