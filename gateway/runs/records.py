"""What the store knows of a run, and how Redis has it: manifest and status are JSON."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

import orjson
from pydantic import ValidationError

from gateway.errors import StoreUnavailable, TemplateInvalid
from gateway.run_document import StatusUnreadable, parse_status, status_json
from gateway.run_manifest import (
    LABEL_ANNOTATION,
    NAMED_ANNOTATION,
    TEMPLATES_ANNOTATION,
    TtlStrategy,
    names_in,
)
from gateway.run_status import RunStatus
from gateway.runs.schema import OURS, SCHEMA, Schema, SchemaUnreadable, read_schema

STATE_FIELDS: Final = ("status", "version", "created", "terminate", "schema")
"""What ``read_state`` wants of a run's hash, in its order."""
_CREATED_DIGITS: Final = 13
_LATEST_MS: Final = 10**_CREATED_DIGITS - 1

Manifest = Mapping[str, object]


class StaleRun(Exception):
    """Somebody else has saved the run, or it has ended: what is to be saved is no news."""


class RunUnreadable(StoreUnavailable):
    """What Redis has under the name of a run is none, or one that only a newer gateway knows."""

    slug = "run_unreadable"
    advice = "delete it, or use the version of the gateway that wrote it"

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(f"run {run_id} cannot be read from Redis: {reason}; {self.advice}")


class RunOfNewer(RunUnreadable):
    """A newer gateway wrote the run, and this one leaves it to such replicas."""

    advice = "it is left to newer replicas: ask again until one of them answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is to be."""

    id: str
    """A new UUID, also the manifest's ``metadata.uid``."""
    manifest: Manifest
    """JSON-ready, without ``status``."""
    created_at_unix_s: float
    is_terminated: bool = False
    """Whether it is to end at once."""


@dataclass(frozen=True, slots=True)
class Created:
    """The run that a caller gets."""

    run_id: str
    is_new: bool
    """Whether this call made it; otherwise an earlier one with the same idempotency key did."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What makes a repeated request known."""

    key: str
    request_digest: str
    """The same for the same request only."""
    owner: str = ""
    """The name of the caller who sent it; empty where everybody is let in."""

    @property
    def key_digest(self) -> str:
        """What Redis has of the key. Another caller's is another, whatever its text is."""
        # A key has no line end in it.
        text = self.key if not self.owner else f"{self.key}\n{self.owner}"
        return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """How a run stands."""

    status: RunStatus
    version: int
    """How many statuses have been saved."""
    is_terminated: bool
    """Whether somebody wants it to end."""
    created_at_unix_s: float
    schema: Schema = OURS
    """Who wrote into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(RunState):
    """A run as a whole."""

    id: str
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Saved:
    """A status is kept."""

    is_terminated: bool
    """Whether somebody wants the run to end."""


class Terminated(Enum):
    """What became of a wish to end a run."""

    NOW = "now"
    """It will end."""
    ALREADY = "already"
    """Somebody wished that before; it will end."""
    FINISHED = "finished"
    """It has ended before; nothing was changed."""


def write_status(status: RunStatus) -> bytes:
    """A status as Redis has it."""
    return orjson.dumps(status_json(status))


def write_facts(manifest: Manifest) -> bytes:
    """What lists select by: namespace, templates, labels, and which of those were named."""
    metadata = _object(manifest, "metadata")
    templates = str(_object(metadata, "annotations").get(TEMPLATES_ANNOTATION, ""))
    names = [name.partition("@")[0] for name in templates.split(",") if name]
    labels = dict(_object(metadata, "labels"))
    namespace, named = named_templates(manifest)
    return orjson.dumps([namespace, names, labels, named])


def named_templates(manifest: Manifest) -> tuple[str, tuple[str, ...] | None]:
    """The namespace of a run, and the templates that were asked for by name.

    In place of the names is None if a request brought any of what the run measures.
    """
    metadata = _object(manifest, "metadata")
    said = _object(metadata, "annotations")
    is_named = NAMED_ANNOTATION in said
    named = names_in(str(said.get(LABEL_ANNOTATION, ""))) if is_named else None
    return str(metadata.get("namespace", "")), named


@contextmanager
def understood(run: Run) -> Iterator[None]:
    """Read the manifest of a run within.

    Raises:
        RunOfNewer: it has what this gateway does not know, and a newer one may.
        RunUnreadable: nobody may.

    """
    try:
        yield
    except TemplateInvalid as error:
        kind = RunOfNewer if run.schema.is_newer else RunUnreadable
        raise kind(run.id, str(error)) from None


def created_ms(unix_s: float) -> str:
    """A time as a text that sorts as times do, to the millisecond."""
    return f"{min(max(round(unix_s * 1000), 0), _LATEST_MS):0{_CREATED_DIGITS}d}"


def read_state(run_id: str, fields: Sequence[bytes | None]) -> RunState | None:
    """The state of a run whose ``STATE_FIELDS`` these are; None if there is no such run.

    Raises:
        RunUnreadable: these are no fields of a run.
        RunOfNewer: they are for a newer gateway.

    """
    status, version, created, terminate, schema_text = fields
    if status is None and version is None and created is None:
        return None
    try:
        schema = read_schema(schema_text)
        if not schema.is_readable:
            raise RunOfNewer(
                run_id,
                f"a newer gateway wrote it, with schema {schema.needed}, and this one knows up to"
                f" {SCHEMA}",
            )
        return RunState(
            status=parse_status(orjson.loads(status or b"")),
            version=int(version or b""),
            is_terminated=terminate is not None,
            created_at_unix_s=float(created or b""),
            schema=schema,
        )
    except (StatusUnreadable, SchemaUnreadable, ValueError, AttributeError) as error:
        raise RunUnreadable(run_id, str(error)) from None


def read_version(text: bytes | None) -> int | None:
    """The version out of ``VERSION PHASE``; None if it is none."""
    number = (text or b"").partition(b" ")[0]
    return int(number) if number.isdigit() else None


def read_manifest(run_id: str, text: bytes) -> Manifest:
    """A manifest. Raises RunUnreadable if it is none."""
    try:
        manifest = orjson.loads(text)
    except ValueError as error:
        raise RunUnreadable(run_id, str(error)) from None
    if not isinstance(manifest, dict):
        raise RunUnreadable(run_id, "its manifest is no object")
    return manifest


def ttl_strategy(run_id: str, manifest: Manifest) -> TtlStrategy:
    """How long the run is to be kept; for ever if it does not say. Raises RunUnreadable."""
    try:
        return TtlStrategy.model_validate(_object(manifest, "spec").get("ttlStrategy", {}))
    except ValidationError:
        raise RunUnreadable(run_id, "its spec.ttlStrategy is not one") from None


def _object(content: Manifest, field: str) -> Manifest:
    value = content.get(field, {})
    return value if isinstance(value, dict) else {}
