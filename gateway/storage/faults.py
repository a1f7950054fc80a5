"""Why Redis gave nothing: every failure of its client by one of a few names, with a sentence."""

from enum import StrEnum
from typing import Final

import redis.exceptions

from gateway.errors import StoreUnavailable

__all__ = ["FAILURES", "StoreFault", "fault_of", "reason_of", "unavailable"]

FAILURES: Final = (
    redis.exceptions.RedisError,
    redis.exceptions.RedisClusterException,
    OSError,
)
"""What a client may raise for a command; time-outs are among them."""


class StoreFault(StrEnum):
    """Why a call to Redis gave nothing: label values of a metric."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    DENIED = "denied"
    PROTECTED = "protected"
    READ_ONLY = "read_only"
    FULL = "full"
    REJECTED = "rejected"
    CIRCUIT_OPEN = "circuit_open"
    UNREADABLE = "unreadable"

    @property
    def is_of_the_command(self) -> bool:
        """Whether it tells of one command, and the next may well be answered."""
        return self in {StoreFault.FULL, StoreFault.REJECTED}


_REASONS: Final = {
    StoreFault.UNREACHABLE: "Redis cannot be reached",
    StoreFault.DENIED: "Redis refuses the user name or the password of its URL",
    StoreFault.PROTECTED: "Redis takes no clients from elsewhere before it has a password or its"
    " protected-mode is off",
    StoreFault.READ_ONLY: "Redis does not accept writes: it is a replica",
    StoreFault.FULL: "Redis is full: it takes nothing in before its maxmemory is raised",
    StoreFault.REJECTED: "Redis refused a command",
    StoreFault.CIRCUIT_OPEN: "Redis failed before and is being probed",
    StoreFault.UNREADABLE: "Redis answered something that cannot be read",
}
# Redis 6 says ERR for whatever goes wrong in a script, and quotes the command's own error.
_TOLD_IN_WORDS: Final = {
    "-OOM ": StoreFault.FULL,
    "-READONLY ": StoreFault.READ_ONLY,
    "protected mode": StoreFault.PROTECTED,
}


def reason_of(fault: StoreFault, *, budget_s: float) -> str:
    """A fault as a sentence; ``budget_s`` is how long the call might have taken."""
    if fault is StoreFault.TIMEOUT:
        budget = f"{budget_s * 1000:g} ms" if budget_s < 1 else f"{budget_s:g} s"
        return f"Redis did not answer within {budget}"
    return _REASONS[fault]


def fault_of(error: BaseException) -> StoreFault:
    """What an error of the client means."""
    match error:
        case redis.exceptions.ReadOnlyError():
            return StoreFault.READ_ONLY
        case redis.exceptions.OutOfMemoryError():
            return StoreFault.FULL
        case (
            redis.exceptions.AuthenticationError()
            | redis.exceptions.AuthorizationError()
            | redis.exceptions.AuthenticationWrongNumberOfArgsError()
        ):
            return StoreFault.DENIED
        case redis.exceptions.TimeoutError() | TimeoutError():
            return StoreFault.TIMEOUT
        case (
            redis.exceptions.ConnectionError()
            | redis.exceptions.ClusterError()
            | redis.exceptions.RedisClusterException()
            | OSError()
        ):
            return StoreFault.UNREACHABLE
        case _:
            told = (fault for words, fault in _TOLD_IN_WORDS.items() if words in str(error))
            return next(told, StoreFault.REJECTED)


def unavailable(error: BaseException, *, budget_s: float) -> StoreUnavailable:
    """The same for a caller who cannot go on without Redis; ``budget_s`` as in ``reason_of``."""
    return StoreUnavailable(reason_of(fault_of(error), budget_s=budget_s))
