"""What is kept of requests and answers, and for how long."""

import gc
import weakref

from gateway.errors import ProviderRejected
from gateway.model import Reading, ResultType
from gateway.provider import HttpRequest, HttpResponse
from gateway.secrets import Redaction, Secret
from gateway.traces import Exchange, Trace, Traces

NOBODYS = Redaction(())
KIB = 1024


def reading() -> Reading:
    """One that is nobody else's."""
    return Reading(1.0, ResultType.FLOAT, "1")


def trace(body_bytes: int = 10) -> Trace:
    """Of one exchange."""
    request = HttpRequest("GET", "http://vendor.example/")
    answer = HttpResponse(200, "OK", {}, b"x" * body_bytes)
    return Trace((Exchange(request, answer, "", 0.1),), 0)


def test_a_trace_is_that_of_one_outcome() -> None:
    """A later reading of the same question has none of it."""
    traces, mine, error = Traces(), reading(), ProviderRejected("no")
    traces.keep("a", mine, trace())
    traces.keep("b", error, trace())
    assert traces.of("a", mine, NOBODYS) is not None
    assert traces.of("b", error, NOBODYS) is not None
    assert traces.of("a", reading(), NOBODYS) is None
    assert traces.of("c", mine, NOBODYS) is None


def test_no_part_of_a_request_shows_a_secret() -> None:
    """A template may put it anywhere, and so into the method."""
    secret = "hunter22"
    request = HttpRequest(
        secret, f"http://vendor.example/{secret}", {secret: secret}, secret.encode()
    )
    kept = Trace((Exchange(request, None, f"{secret} refused", 0.1),), 0)
    (exchange,) = kept.without(Redaction([Secret(secret)])).json()
    assert exchange["request"] == {
        "method": "*****",
        "url": "http://vendor.example/*****",
        "headers": {"*****": "*****"},
        "body": "*****",
    }
    assert exchange["error"] == "***** refused"


def test_readings_belong_to_others() -> None:
    """A trace keeps none of them in memory, nor is it taken for that of nothing."""
    traces, mine = Traces(), reading()
    gone = weakref.ref(mine)
    traces.keep("a", mine, trace())
    del mine
    gc.collect()
    assert gone() is None
    assert traces.of("a", None, NOBODYS) is None


def test_all_traces_together_are_bounded() -> None:
    """Those that were kept first go first; one that is kept again counts once."""
    traces, readings = Traces(max_bytes=100 * KIB), [reading() for _ in range(4)]
    for _ in range(5):
        traces.keep("again", readings[0], trace(30 * KIB))
    for number in (1, 2):
        traces.keep(str(number), readings[number], trace(30 * KIB))
    assert traces.of("again", readings[0], NOBODYS) is not None
    traces.keep("3", readings[3], trace(30 * KIB))
    assert traces.of("again", readings[0], NOBODYS) is None
    assert all(traces.of(str(number), readings[number], NOBODYS) for number in (1, 2, 3))
