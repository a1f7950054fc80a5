"""Write ``docs/configuration.md`` from the texts of the settings themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.config.settings import Settings
from gateway.secrets import Secret

INTRODUCTION = """\
# Configuration

`analysis-gateway serve` takes its settings from one YAML file (`--config FILE`, or the environment
variable `ANALYSIS_GATEWAY_CONFIG`) and from flags, which win. `analysis-gateway run` takes
[the same file](cli.md#run-an-analysis). A key that is not in this table is refused at start, with
its path. Durations are Go's: `500ms`, `8s`, `1m30s`.

| key | default | what it is for |
|---|---|---|
"""
FLAGS = """
Flags: `--host`, `--port`, `--templates`, `--secrets`, `--redis`, `--state`, `--namespace`.

`ANALYSIS_GATEWAY_REDIS` is the Redis URL for who keeps it out of files and command lines; `--redis`
wins over it, and it over the file.

Other environment variables are read as Argo reads them: `ARGO_ROLLOUTS_PROMETHEUS_ADDRESS` is the
address of a Prometheus metric that gives none, `POD_NAMESPACE` the gateway's own namespace; the two
for Jobs stand in the table.

```yaml
# settings.yaml
templates: /etc/analysis-gateway/templates
secrets: /etc/analysis-gateway/secrets
redis: redis://redis.analysis.svc:6379/0
verdicts: {wait: 8s}
readings: {maxAge: 5s}
```
"""


def page() -> str:
    """The whole page."""
    described: set[type[BaseModel]] = set()
    described_rows = _rows(Settings, "", described)
    rows = (f"| `{key}` | {default} | {text} |" for key, default, text in described_rows)
    return INTRODUCTION + "\n".join(rows) + "\n" + FLAGS


def _rows(
    section: type[BaseModel], prefix: str, described: set[type[BaseModel]]
) -> Iterator[tuple[str, str, str]]:
    for field in section.model_fields.values():
        key = f"{prefix}{field.alias}"
        if isinstance(field.default, BaseModel):
            yield from _rows(type(field.default), f"{key}.", described)
            continue
        yield key, _default(field), " ".join((field.description or "").split())
        for item, suffix in _items(field.annotation):
            # What is the same thing is described where the first of it is.
            if item not in described:
                described.add(item)
                yield from _rows(item, f"{key}{suffix}.", described)


def _items(annotation: object, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The sections in a value, with what their keys are reached through: ``[]`` for a list's."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
    within = "[]" if get_origin(annotation) is tuple else suffix
    for part in get_args(annotation):
        yield from _items(part, within)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.is_required():
        return "needed"
    if value is None or value == "" or isinstance(value, Secret):
        return "unset"
    if isinstance(value, float):
        return f"`{value:g}s`"
    return f"`{json.dumps(value)}`" if isinstance(value, bool | tuple) else f"`{value}`"


if __name__ == "__main__":
    Path("docs/configuration.md").write_text(page(), encoding="utf-8")
