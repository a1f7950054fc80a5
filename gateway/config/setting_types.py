"""What the blocks of the settings are made of."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from gateway.durations import parse_duration_s
from gateway.names import is_plugin_name
from gateway.secrets import Secret

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""What only this machine can reach."""


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        # pydantic turns a ValueError into a problem with a path, a TypeError into a crash.
        raise ValueError("must be a duration in Go's notation, such as 8s")  # noqa: TRY004
    seconds = parse_duration_s(value)
    if seconds < 0:
        raise ValueError("must not be negative")
    return seconds


def _secret(value: object) -> object:
    return Secret(value) if isinstance(value, str) else value


def _plugin_name(value: str) -> str:
    if not is_plugin_name(value):
        raise ValueError(f"plugin {value!r} must be in the format of <namespace>/<name>")
    return value


PluginName = Annotated[str, AfterValidator(_plugin_name)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
SecretText = Annotated[Secret, BeforeValidator(_secret)]


class Section(BaseModel):
    """A block of settings: frozen, camelCase on the outside, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
    )
