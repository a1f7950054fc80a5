"""What the blocks of the settings are made of."""

from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from gateway.durations import parse_duration_s
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
