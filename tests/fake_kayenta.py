"""A Kayenta in memory, what was asked of it, and short words for its blocks and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from backends import NOW_UNIX_S
from job_api import world_with

from gateway.provider import Attempt, Context, HttpRequest, HttpResponse, Surroundings
from providers.kayenta import KayentaProvider, parse

URL: Final = "http://kayenta"
ID: Final = {"canaryExecutionId": "EX-1"}
TIMES: Final = {"start": "2024-05-06T07:00:00Z", "end": "2024-05-06T07:30:00Z"}
ATTEMPT: Final = Attempt(
    owner="u-1",
    analysis="r",
    namespace="shop",
    metric="m",
    number=1,
    began_at_unix_s=NOW_UNIX_S,
    interval="10m",
)
BEGUN: Final = replace(ATTEMPT, metadata=ID)


def scope(
    name: str = "default",
    *,
    control: Mapping[str, object] = TIMES,
    experiment: Mapping[str, object] = TIMES,
) -> dict[str, Any]:
    """A comparison of a stable version with a canary."""
    where = {"region": "eu", "step": 60}
    return {
        "name": name,
        "controlScope": {"scope": "stable", **where, **control},
        "experimentScope": {"scope": "canary", **where, **experiment},
    }


def block(address: str = URL, **fields: Any) -> dict[str, Any]:
    """A block; ``fields`` in wire names."""
    return {
        "address": address,
        "application": "cart",
        "canaryConfigName": "cfg-b",
        "metricsAccountName": "prom",
        "configurationAccountName": "gcs-c",
        "storageAccountName": "gcs-s",
        "threshold": {"pass": 80, "marginal": 50},
        "scopes": [scope()],
        **fields,
    }


def provider(address: str = URL, **fields: Any) -> KayentaProvider:
    """A provider of such a block."""
    made = parse(block(address, **fields), Surroundings())
    assert isinstance(made, KayentaProvider)
    return made


def answer(content: object, status: int = 200) -> HttpResponse:
    """What a server says: bytes as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return HttpResponse(status, "", {}, body)


def completed(score: object) -> dict[str, Any]:
    """An execution that has ended."""
    return {"complete": True, "result": {"judgeResult": {"score": {"score": score}}}}


CONFIGS: Final = answer([{"id": "c-1", "name": "cfg-a"}, {"id": "c-2", "name": "cfg-b"}])
GOES_ON: Final = answer({"complete": False})


@dataclass
class FakeKayenta:
    """Implements ``gateway.provider.Http`` for one Kayenta."""

    configs: HttpResponse = CONFIGS
    begins: HttpResponse | None = None
    """What it says of a new execution; None for one more id."""
    state: HttpResponse = GOES_ON
    """How all executions stand."""
    asked: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """The answer to a lookup, a beginning or a look."""
        assert round(timeout_s) == 15
        self.asked.append(request)
        if "/canaryConfig?" in request.url:
            return self.configs
        if request.method == "POST":
            return self.begins or answer({"canaryExecutionId": f"EX-{self.begun}"})
        return self.state

    @property
    def begun(self) -> int:
        """How many executions were ordered."""
        return sum(request.method == "POST" for request in self.asked)

    def told(self) -> list[str]:
        """The requests, without their bodies."""
        return [f"{request.method} {request.url}" for request in self.asked]

    def context(self, now_unix_s: float = NOW_UNIX_S) -> Context:
        """A world with nothing but this."""
        return replace(world_with(None, lambda: now_unix_s), http=self)
