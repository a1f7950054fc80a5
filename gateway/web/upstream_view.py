"""What the gateway's own metrics tell of those whom it asks, for a page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.config.connections import Connection

_DURATION: Final = "analysis_gateway_measurement_duration_seconds"
_QUOTA: Final = "analysis_gateway_provider_quota"
_KEPT: Final = ("hit", "coalesced")
State = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of the exposition."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """A named upstream, without what proves who one is."""

    name: str
    url: str
    namespaces: tuple[str, ...]
    takes_brought: bool
    credential: str
    """What kind of proof it adds."""
    state: State
    """How it stands, as ``GET /v1/connections`` has it."""


@dataclass(frozen=True, slots=True)
class ProviderView:
    """How measurements of one provider went since the start."""

    name: str
    measured: int
    errors: int
    mean_s: float
    """Of a measurement, kept readings included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaView:
    """What a vendor says one may still ask."""

    provider: str
    credential: str
    remaining: float | None
    limit: float | None
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamsView:
    """All of it."""

    connections: tuple[ConnectionView, ...]
    providers: tuple[ProviderView, ...]
    quotas: tuple[QuotaView, ...]
    readings: int
    kept_share: int | None
    """How many of 100 readings nobody was asked for; None before the first."""
    under_way: int


def upstreams_view(
    connections: Iterable[Connection], states: Mapping[str, State], samples: Iterable[Sample]
) -> UpstreamsView:
    """What the page of upstreams shows; ``states`` has how each connection stands, by name."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for each in samples:
        by_name[each.name].append(each)
    readings = {
        each.labels["cache"]: each.value for each in by_name["analysis_gateway_readings_total"]
    }
    total = sum(readings.values())
    kept = sum(readings.get(state, 0) for state in _KEPT)
    return UpstreamsView(
        connections=tuple(connection_view(each, states[each.name]) for each in connections),
        providers=_providers(by_name),
        quotas=_quotas(by_name),
        readings=int(total),
        kept_share=round(100 * kept / total) if total else None,
        under_way=int(
            sum(each.value for each in by_name["analysis_gateway_upstream_queries_in_flight"])
        ),
    )


def connection_view(connection: Connection, state: State) -> ConnectionView:
    """A connection as the page shows it: its credential by kind alone."""
    kinds = {
        "basic auth": connection.basic_auth,
        "bearer token": connection.bearer,
        "client certificate": connection.client_certificate,
        "headers": connection.headers,
    }
    return ConnectionView(
        name=connection.name,
        url=connection.url,
        namespaces=connection.namespaces,
        takes_brought=connection.upstream.takes_brought,
        credential=", ".join(kind for kind, given in kinds.items() if given) or "none",
        state=state,
    )


def _providers(by_name: Mapping[str, list[Sample]]) -> tuple[ProviderView, ...]:
    counts: dict[str, float] = defaultdict(float)
    errors: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for each in by_name[f"{_DURATION}_count"]:
        counts[each.labels["provider"]] += each.value
        if each.labels["phase"] == "Error":
            errors[each.labels["provider"]] += each.value
    for each in by_name[f"{_DURATION}_sum"]:
        seconds[each.labels["provider"]] += each.value
    return tuple(
        ProviderView(name, int(count), int(errors[name]), seconds[name] / count)
        for name, count in sorted(counts.items())
        if count
    )


def _quotas(by_name: Mapping[str, list[Sample]]) -> tuple[QuotaView, ...]:
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    families = {
        "remaining": f"{_QUOTA}_remaining",
        "limit": f"{_QUOTA}_limit",
        "refused": "analysis_gateway_provider_rate_limited_total",
    }
    for what, family in families.items():
        for each in by_name[family]:
            found[each.labels["provider"], each.labels["credential"]][what] = each.value
    return tuple(
        QuotaView(
            provider=provider,
            credential=credential,
            remaining=told.get("remaining"),
            limit=told.get("limit"),
            refused=int(told.get("refused", 0)),
        )
        for (provider, credential), told in sorted(found.items())
    )
