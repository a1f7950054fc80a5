"""Credentials that no plan knows, because they are made while one asks.

Whoever makes or sends one says so here; whoever records what is sent hears of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from gateway.secrets import Redaction


@dataclass(slots=True)
class MadeCredentials:
    """What masks all of them so far."""

    redactions: list[Redaction] = field(default_factory=list, repr=False)


_current: ContextVar[MadeCredentials | None] = ContextVar("made_credentials", default=None)
_is_making: ContextVar[bool] = ContextVar("is_making", default=False)


@contextmanager
def collected(made: MadeCredentials) -> Iterator[None]:
    """Collect what is made meanwhile, in this task and those that it starts."""
    token = _current.set(made)
    try:
        yield
    finally:
        _current.reset(token)


def sent_along(credential: Redaction) -> None:
    """A request goes out with this credential."""
    made = _current.get()
    if made is not None and credential and credential not in made.redactions:
        made.redactions.append(credential)


@contextmanager
def making() -> Iterator[None]:
    """What is asked for meanwhile are credentials: nobody may show the answers."""
    token = _is_making.set(True)
    try:
        yield
    finally:
        _is_making.reset(token)


def is_being_made() -> bool:
    """Whether the answer to the present request is a credential itself."""
    return _is_making.get()
