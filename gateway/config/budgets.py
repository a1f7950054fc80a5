"""The settings about how much is asked of a named upstream."""

from typing import Annotated

from pydantic import Field

from gateway.config.setting_types import Seconds, Section


class ConnectionRate(Section):
    """How often an upstream is asked."""

    per_second: float = Field(gt=0, le=100_000)
    """How many requests a second, of all replicas together."""
    burst: int = Field(1, ge=1, le=100_000)
    """How many may go out at once after a rest. With 1 they are evenly spaced."""


class ConnectionBreaker(Section):
    """When an upstream that does not answer is given a rest."""

    failures: int = Field(5, ge=0)
    """After how many failures in a row, each less than a minute after the one before; `0` never."""
    pause_s: Annotated[Seconds, Field(gt=0)] = Field(5.0, alias="pause")
    """How long it is not asked then; twice as long after each further failure, up to 30 s."""
