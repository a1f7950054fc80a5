"""What was decided, for whom and why: one entry per verdict, per turn in a run's life, per refusal.

An entry has what leaves the gateway anyway, and nothing that a secret could be read from: values of
secret arguments are masked by their place, everything else by value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final, Protocol

from gateway.secrets import MASK, Redaction
from gateway.verdict import cut, timestamp

MAX_ARGUMENTS: Final = 32
MAX_VALUE_CHARS: Final = 256
"""Of an argument, its name, and every other short text."""
MAX_REASON_CHARS: Final = 1_024
MAX_TEMPLATES: Final = 16


class Call(StrEnum):
    """What happened."""

    VERDICT = "verdict"
    RUN_STARTED = "run.started"
    RUN_ENDED = "run.ended"
    RUN_TERMINATED = "run.terminated"
    RUN_DELETED = "run.deleted"
    REFUSED = "refused"
    """Somebody is not known, or may not do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the audit."""

    at_unix_s: float
    call: Call
    caller: str = ""
    """Who asked, or who started the run that ended; empty for who is not known."""
    namespace: str = ""
    templates: tuple[str, ...] = ()
    """``name@sha256:...`` of every template that took part."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """As they may be shown: see ``shown_arguments``."""
    run: str = ""
    phase: str = ""
    is_ok: bool | None = None
    """Whether a gate let it pass, of a run that ended: one that was terminated did not."""
    reason: str = ""
    path: str = ""
    """Of a request that was refused, without its query."""
    is_repeat: bool = False
    """Whether the verdict is from readings that were kept, and nothing was measured for it."""
    times: int = 0
    """How often more the caller got this very verdict; 0 for the entry about the first time."""
    took_s: float | None = None

    def document(self) -> dict[str, object]:
        """The entry as JSON-ready values of bounded size; what is empty is left out."""
        parts: dict[str, object] = {
            "at": timestamp(self.at_unix_s),
            "call": self.call.value,
            "caller": _short(self.caller),
            "namespace": _short(self.namespace),
            "templates": [_short(each) for each in self.templates[:MAX_TEMPLATES]],
            "arguments": {
                _writable(name): _writable(value) for name, value in self.arguments.items()
            },
            "run": _writable(self.run),
            "phase": self.phase,
            "reason": _writable(cut(self.reason, MAX_REASON_CHARS)),
            "path": _short(self.path),
            "times": self.times,
        }
        found = {name: part for name, part in parts.items() if part}
        if self.call is Call.VERDICT:
            found["repeated"] = self.is_repeat
        if self.is_ok is not None:
            found["ok"] = self.is_ok
        if self.took_s is not None:
            found["tookMs"] = round(self.took_s * 1000, 1)
        return found


def _short(text: str) -> str:
    return _writable(cut(text, MAX_VALUE_CHARS))


def _writable(text: str) -> str:
    # Half of a surrogate pair, which no encoder takes, can come out of an upstream or a URL.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class Audit(Protocol):
    """Who keeps entries."""

    def note(self, entry: Entry) -> None:
        """Keep an entry; it costs no time, and never fails."""


def shown_arguments(
    values: Mapping[str, str], open_values: Mapping[str, str], redaction: Redaction
) -> dict[str, str]:
    """The arguments of an analysis as they may be shown, cut; a secret one is five asterisks.

    Args:
        values: with secrets in the clear.
        open_values: with something else in place of each secret.
        redaction: of everything that is secret in the analysis.

    """
    return {
        cut(redaction.text(name), MAX_VALUE_CHARS): (
            cut(redaction.text(value), MAX_VALUE_CHARS) if open_values[name] == value else MASK
        )
        for name, value in islice(values.items(), MAX_ARGUMENTS)
    }
