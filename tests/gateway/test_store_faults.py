"""Names and sentences for what goes wrong with Redis."""

import pytest
import redis.exceptions

from gateway.storage.faults import StoreFault, fault_of, reason_of

QUOTED = "Error running script (call to f_1): @user_script:9: @user_script: 9: "


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        pytest.param(redis.exceptions.ReadOnlyError(""), "read_only", id="a-replica"),
        pytest.param(
            redis.exceptions.ResponseError(f"{QUOTED}-READONLY You can't write"),
            "read_only",
            id="a-replica-that-ran-a-script",
        ),
        pytest.param(redis.exceptions.OutOfMemoryError(""), "full", id="no-memory-left"),
        pytest.param(
            redis.exceptions.ResponseError(f"{QUOTED}-OOM command not allowed"),
            "full",
            id="no-memory-left-for-a-script",
        ),
        pytest.param(redis.exceptions.AuthenticationError(), "denied", id="a-wrong-password"),
        pytest.param(
            redis.exceptions.ResponseError("DENIED Redis is running in protected mode because"),
            "protected",
            id="a-server-without-a-password-elsewhere",
        ),
        pytest.param(redis.exceptions.TimeoutError(), "timeout", id="the-client-gave-up"),
        pytest.param(TimeoutError(), "timeout", id="the-budget-is-spent"),
        pytest.param(ConnectionResetError(), "unreachable", id="a-cut-connection"),
        pytest.param(redis.exceptions.ClusterDownError(""), "unreachable", id="slots-unserved"),
        pytest.param(redis.exceptions.ResponseError("ERR no"), "rejected", id="any-other-refusal"),
    ],
)
def test_an_error_has_a_name(error: BaseException, fault: str) -> None:
    """Whatever the client raises, a script's errors included."""
    assert fault_of(error) == fault


@pytest.mark.parametrize(
    ("fault", "budget_s", "sentence"),
    [
        pytest.param(
            StoreFault.TIMEOUT, 0.15, "Redis did not answer within 150 ms", id="milliseconds"
        ),
        pytest.param(StoreFault.TIMEOUT, 2.0, "Redis did not answer within 2 s", id="seconds"),
        pytest.param(StoreFault.UNREACHABLE, 2.0, "Redis cannot be reached", id="no-budget"),
    ],
)
def test_a_fault_has_a_sentence(fault: StoreFault, budget_s: float, sentence: str) -> None:
    """A time-out tells how long was waited."""
    assert reason_of(fault, budget_s=budget_s) == sentence


def test_every_fault_has_a_sentence() -> None:
    """None is left without words."""
    sentences = {reason_of(fault, budget_s=1.0) for fault in StoreFault}
    assert len(sentences) == len(StoreFault)
