"""kayenta against every backend that misbehaves, in each of its three calls."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from backends import failure_text, raw_server, world
from fake_kayenta import ATTEMPT, BEGUN, CONFIGS, provider
from faulty_backends import BACKENDS

from gateway.provider import Attempt, Context, Http, HttpRequest, HttpResponse

TIME_LIMIT_S = 1
MAX_BODY_BYTES = 1_000_000
LOOKUP = "Get", "/canaryConfig?application=cart&configurationAccountName=gcs-s"
ACCOUNTS = "metricsAccountName=prom&configurationAccountName=gcs-c&storageAccountName=gcs-s"
BEGINNING = "Post", f"/canary/c-2?application=cart&{ACCOUNTS}"
LOOK = "Get", "/canary/EX-1"
REJECTED = "ProviderRejected: Invalid Response"
CUT = "(Client.Timeout or context cancellation while reading body)"
COMMON = {
    "refuses": 'ProviderUnreachable: $METHOD "$URL": dial tcp $HOST: connect: connection refused',
    "hangs": 'ProviderUnreachable: $METHOD "$URL": context deadline exceeded'
    " (Client.Timeout exceeded while awaiting headers)",
    "drips": f"ProviderUnreachable: context deadline exceeded {CUT}",
    "hangs up": 'ProviderUnreachable: $METHOD "$URL": EOF',
    "truncated": "ProviderUnreachable: unexpected EOF",
    "401": REJECTED,
    "429": REJECTED,
    "500": REJECTED,
    "304": REJECTED,
    "204": REJECTED,
    "html": "ProviderUnreadable: invalid character '<' looking for beginning of value",
    "empty": "ProviderUnreadable: unexpected end of JSON input",
    "nan": "ProviderUnreadable: invalid character 'N' looking for beginning of value",
    "half json": "ProviderUnreadable: unexpected end of JSON input",
    "deep": "ProviderUnreadable: the answer is nested deeper than 200 levels",
    "huge": 'ProviderUnreadable: $METHOD "$URL": the answer is larger than 1000000 bytes,'
    " the limit of this gateway",
    "not http": 'ProviderUnreadable: $METHOD "$URL": net/http: HTTP/1.x transport connection'
    " broken: Bad status line: Expected HTTP/, RTSP/ or ICE/: b'nonsense' ^",
}


@dataclass(frozen=True)
class Knowing:
    """A client that knows the configurations already; for all else it asks the backend."""

    http: Http

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """An answer."""
        is_lookup = "/canaryConfig?" in request.url
        return CONFIGS if is_lookup else await self.http.send(request, timeout_s=timeout_s)


def plain(context: Context) -> Context:
    """The world as it is."""
    return context


def knowing(context: Context) -> Context:
    """A world in which the lookup has gone well."""
    return replace(context, http=Knowing(context.http))


CALLS = {
    "lookup": (
        *(LOOKUP, ATTEMPT, plain),
        {
            **COMMON,
            **{each: f"{REJECTED}: HTTP {each}" for each in ("401", "429", "500", "304", "204")},
            "empty": "ProviderUnreadable: EOF",
            "half json": "ProviderUnreadable: unexpected EOF",
            "null": "ProviderRejected: Canary config not found",
        },
    ),
    "beginning": (
        *(BEGINNING, ATTEMPT, knowing),
        {
            **COMMON,
            "null": "ProviderUnreadable: Invalid canaryExecutionId: the answer has none",
        },
    ),
    "look": (
        *(LOOK, BEGUN, plain),
        {**COMMON, "null": "ProviderUnreadable: Missing Complete Status"},
    ),
}


@pytest.mark.parametrize("fault", BACKENDS)
@pytest.mark.parametrize("call", CALLS)
async def test_a_fault_is_told_exactly_and_in_time(call: str, fault: str) -> None:
    """Nothing but a provider error comes of a backend, within the time limit."""
    (method, path), attempt, prepared, answers = CALLS[call]
    started_s = asyncio.get_running_loop().time()
    async with BACKENDS[fault]() as url, world(max_body_bytes=MAX_BODY_BYTES) as context:
        limited = replace(provider(url), timeout_s=TIME_LIMIT_S)
        got = await failure_text(limited.advance(prepared(context), attempt))  # type: ignore[arg-type]
    assert isinstance(got, str)
    got = got.replace(f"{url}{path}", "$URL").replace(url[len("http://") :], "$HOST")
    assert got == answers[fault].replace("$METHOD", method)
    assert asyncio.get_running_loop().time() - started_s < TIME_LIMIT_S + 1


@pytest.mark.parametrize("attempt", [ATTEMPT, BEGUN], ids=["beginning", "look"])
async def test_a_measurement_can_be_cancelled(attempt: Attempt) -> None:
    """Cancelling is not swallowed, and closes the connection."""
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def watch(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        closed.set()

    async with raw_server(watch) as url, world() as context:
        task = asyncio.create_task(provider(url).advance(context, attempt))  # type: ignore[arg-type]
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 5)
