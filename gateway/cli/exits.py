"""Exit codes, so that a CI job can tell a bad release from a bad command."""

from enum import IntEnum

from gateway.model import Phase


class Exit(IntEnum):
    """What the process says when it ends."""

    SUCCESSFUL = 0
    FAILED = 1
    INCONCLUSIVE = 2
    ERROR = 3
    """A provider or a condition failed, or the time ran out."""
    USAGE = 4
    """The command, the file or the template is wrong; nothing was measured."""
    INTERRUPTED = 130
    """SIGINT (Ctrl-C) ended the command, or a run that would have gone on; as shells say it."""
    TERMINATED = 143
    """SIGTERM ended a run that would have gone on."""


def exit_code(phase: Phase) -> Exit:
    """The exit code of a run that has ended by its own rules."""
    return {
        Phase.SUCCESSFUL: Exit.SUCCESSFUL,
        Phase.FAILED: Exit.FAILED,
        Phase.INCONCLUSIVE: Exit.INCONCLUSIVE,
    }.get(phase, Exit.ERROR)
