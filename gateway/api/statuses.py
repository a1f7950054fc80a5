"""What status code an answer has whose caller wants the code to speak."""

from collections.abc import Mapping
from typing import Final

from gateway.api.parameters import StatusMode
from gateway.model import Phase

GATE_STATUS: Final[Mapping[Phase, int]] = {
    Phase.SUCCESSFUL: 200,
    Phase.FAILED: 417,
    Phase.INCONCLUSIVE: 409,
    Phase.ERROR: 502,
    Phase.RUNNING: 503,
}


def status_of(phase: Phase, mode: StatusMode) -> int:
    """The status of an answer that tells of a phase; who is Pending is as good as Running."""
    if mode is StatusMode.GATE:
        return GATE_STATUS[phase if phase.is_completed else Phase.RUNNING]
    return 503 if mode is StatusMode.ERRORS and phase is Phase.ERROR else 200
