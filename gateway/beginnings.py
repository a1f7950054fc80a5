"""When a measurement begins: when its first request goes out, however long that had to wait.

Whoever waits for a place or a token has asked nothing yet: its answer will be as new as if it had
been asked for later, and serves whoever asks meanwhile. Who lets requests out is told nothing of
measurements, so it tells whom the context has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Beginning(Protocol):
    """Who wants to know when a measurement begins."""

    def waits(self) -> None:
        """A request has to wait."""

    def goes_out(self) -> None:
        """A request is sent."""


class _Nobodys:
    def waits(self) -> None:
        pass

    def goes_out(self) -> None:
        pass


_beginning: ContextVar[Beginning] = ContextVar("beginning", default=_Nobodys())  # noqa: B039 - it has no state


def beginning() -> Beginning:
    """That of the measurement that is being taken."""
    return _beginning.get()


@contextmanager
def telling(whom: Beginning) -> Iterator[None]:
    """Tell somebody of what is measured within."""
    token = _beginning.set(whom)
    try:
        yield
    finally:
        _beginning.reset(token)
