"""What an API server checks, fills in and refuses before it keeps an object."""

import base64
import copy
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from kube.kinds import Kind, Object
from kube.refusals import invalid

_SUBDOMAIN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
    f" for validation is '{_SUBDOMAIN}')"
)
_JOB_DEFAULTS: Final = {
    "parallelism": 1,
    "completions": 1,
    "backoffLimit": 6,
    "manualSelector": False,
    "completionMode": "NonIndexed",
    "suspend": False,
    "podReplacementPolicy": "TerminatingOrFailed",
}


def now() -> str:
    """The time as objects tell it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def admitted(kind: Kind, namespace: str, manifest: Object) -> Object:
    """A new object as it will be kept, all but its resource version.

    Raises:
        KubernetesError: The object breaks a rule of its kind.

    """
    made = copy.deepcopy(manifest)
    metadata = made.setdefault("metadata", {})
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
    _check_name(kind, metadata.get("name", ""))
    metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
    if kind.is_namespaced:
        metadata["namespace"] = namespace
    made = {"kind": kind.kind, "apiVersion": kind.api_version, **made}
    match kind.plural:
        case "jobs":
            _fill_job(kind, made)
        case "pods":
            made["status"] = {"phase": "Pending"}
        case "secrets":
            _fill_secret(made)
    return made


def merged(base: Any, changes: Any) -> Any:
    """A document with a merge patch applied (RFC 7386)."""
    if not isinstance(changes, Mapping):
        return copy.deepcopy(changes)
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _check_name(kind: Kind, name: str) -> None:
    if not name:
        problem = "metadata.name: Required value: name or generateName is required"
        raise invalid(kind, name, problem)
    if not re.fullmatch(_SUBDOMAIN, name):
        raise invalid(kind, name, f'metadata.name: Invalid value: "{name}": {_NAME_RULE}')


def _fill_job(kind: Kind, job: Object) -> None:
    metadata = job["metadata"]
    name, uid = metadata["name"], metadata["uid"]
    template = job.setdefault("spec", {}).setdefault("template", {})
    inner = template.setdefault("metadata", {})
    _check_label(kind, metadata, inner)
    _check_pod_template(kind, name, template.get("spec", {}))
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    inner["labels"] = {**(inner.get("labels") or {}), **labels}
    # A Job without labels of its own gets those of its pods.
    metadata["labels"] = metadata.get("labels") or inner["labels"]
    metadata["generation"] = 1
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    job["spec"] = {**_JOB_DEFAULTS, "selector": selector, **job["spec"]}
    job["status"] = {}


def _check_label(kind: Kind, metadata: Object, inner: Object) -> None:
    name = metadata["name"]
    if len(name) > 63:
        rule = f'Invalid value: "{name}": must be no more than 63 characters'
        # A Job without labels of its own shares those of its template, if that has any.
        is_shared = inner.get("labels") and not metadata.get("labels")
        places = ["metadata.labels"] if is_shared else []
        raise invalid(kind, name, *(f"{at}: {rule}" for at in (*places, "spec.template.labels")))


def _check_pod_template(kind: Kind, name: str, spec: Object) -> None:
    problems = []
    if not spec.get("containers"):
        problems.append("spec.template.spec.containers: Required value")
    if spec.get("restartPolicy") not in {"OnFailure", "Never"}:
        rule = 'Required value: valid values: "OnFailure", "Never"'
        problems.append(f"spec.template.spec.restartPolicy: {rule}")
    if problems:
        raise invalid(kind, name, *problems)


def _fill_secret(secret: Object) -> None:
    secret.setdefault("type", "Opaque")
    for key, text in secret.pop("stringData", {}).items():
        encoded = base64.b64encode(text.encode()).decode()
        secret.setdefault("data", {})[key] = encoded
