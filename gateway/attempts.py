"""How often one request had to be sent again, for whoever explains a measurement."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Retries:
    """A count that goes on until its context is left."""

    count: int = 0


_current: ContextVar[Retries | None] = ContextVar("retries", default=None)


@contextmanager
def counted(retries: Retries) -> Iterator[None]:
    """Count what is sent again meanwhile, in this task and those that it starts."""
    token = _current.set(retries)
    try:
        yield
    finally:
        _current.reset(token)


def sent_again() -> None:
    """A request goes out once more."""
    retries = _current.get()
    if retries is not None:
        retries.count += 1
