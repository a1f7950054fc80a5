"""newRelic: one NRQL query, asked of NerdGraph.

Sources: argo-rollouts metricproviders/newrelic/newrelic.go @ 9f8d111d8, and newrelic-client-go
v2.93.1 with go-retryablehttp v0.7.7, which decide about the wire.

What may pass by itself is asked again up to three times, after 1, 2 and 4 s: no answer, the
statuses 429, 500 and from 502 on, and the classes of errors that say so. What the headers of 429
and 503 tell of the time goes before these pauses. Unlike Argo, whose two layers of repetition may
send sixteen requests, there are four in all; a pause that does not fit into ``LIMIT_S`` is not
begun, so that the reason is told before the gateway gives up the measurement; and an answer that is
cut off is asked for again.

No data: no row, or one row without a member, is an Error whatever the conditions say. A row such as
``{"count": null}`` is handed to the conditions.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gateway.errors import ProviderInvalid
from gateway.expr.faults import Fault
from gateway.expr.strconv import parse_int
from gateway.gotext import json_text
from gateway.model import Reading
from gateway.provider import (
    Block,
    Context,
    Credential,
    FoundSecret,
    HttpRequest,
    NoAnswer,
    Provider,
    ProviderType,
    SecretUse,
    Surroundings,
)
from gateway.secrets import MASK
from gateway.upstreams.gourl import Url, parse_url
from gateway.upstreams.rate_limit_headers import silence_s
from providers import _shapes
from providers._nerdgraph import Passing, Unanswered, read_response
from providers._requests import Deadline, read_beside_the_loop, with_client_limit
from providers._shapes import Int64, Shape
from providers._vendor_secrets import credential, revealed, server_of

ATTEMPT_S = 30.0
"""Source: newrelic-client-go v2.93.1 internal/http/client.go:26."""
BACKOFFS_S = (1.0, 2.0, 4.0)
"""Source: go-retryablehttp v0.7.7 client.go:551-567."""
LIMIT_S = 55.0
"""For all attempts and pauses; less than ``verdicts.measurementTimeout``."""
DEFAULT_PROFILE = "newrelic"
DEFAULT_QUERY_TIMEOUT_S = 5
QUERY_METADATA = "ResolvedNewRelicQuery"
_REGIONS: Mapping[str, str] = {
    "us": "https://api.newrelic.com/graphql",
    "eu": "https://api.eu.newrelic.com/graphql",
    "jp": "https://api.jp.newrelic.com/graphql",
    "gov": "https://gov-api.newrelic.com/graphql",
    "fedramp": "https://gov-api.newrelic.com/graphql",
    "staging": "https://staging-api.newrelic.com/graphql",
    "local": "http://localhost:3000/graphql",
}
"""Source: newrelic-client-go v2.93.1 pkg/region/region_constants.go."""
_KEYS = (
    "personal-api-key",
    "account-id",
    "region",
    "base-url-rest",
    "base-url-nerdgraph",
)
_BASE_URLS = {
    "base-url-rest": "base URL can not be empty",
    "base-url-nerdgraph": "nerdgraph base URL can not be empty",
}
_BASE_URL_VARIABLE = "NEW_RELIC_NERDGRAPH_BASE_URL"
_SERVICE_VARIABLE = "NEW_RELIC_SERVICE_NAME"
_SERVICE = "newrelic-client-go"
# With the blank at the end of a line that Argo sends.
_DOCUMENT = (
    "query (\n  $query: Nrql!, \n  $accountId: Int!,\n  $timeout: Seconds!\n)\n"
    "{\n  actor {\n    account(id: $accountId) {\n"
    "      nrql(query: $query, timeout: $timeout) {\n        results\n      }\n    }\n  }\n}\n"
)


class NewRelicSpec(Shape):
    """The block under ``provider.newRelic``."""

    query: str
    profile: str = ""
    timeout: Int64 = DEFAULT_QUERY_TIMEOUT_S
    """Seconds that New Relic gives the query; not the time limit of the request."""


@dataclass(frozen=True, slots=True)
class NewRelicProvider:
    """One query of one account."""

    spec: NewRelicSpec
    request: HttpRequest
    credential: Credential
    limit_s: float = LIMIT_S

    def resolved_query(self) -> str:
        """The query after argument substitution."""
        return self.spec.query

    async def measure(self, context: Context) -> Reading:
        """Ask the query, again where that may help. Raises ProviderError and nothing else."""
        _check_timeout(self.spec)
        deadline = Deadline(self.limit_s)
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(context, deadline)
            except Passing as passing:
                pause_s = _pause_s(passing, attempt, now_unix_s=context.now_unix_s())
                if pause_s is None or pause_s >= deadline.remaining_s:
                    raise passing.ended(self._request_line, attempt) from passing
            await asyncio.sleep(pause_s)

    async def _attempt(self, context: Context, deadline: Deadline) -> Reading:
        timeout_s = min(ATTEMPT_S, deadline.remaining_s)
        try:
            response = await context.http.send(self.request, timeout_s=timeout_s)
        except NoAnswer as failure:
            raise Unanswered(with_client_limit(failure)) from failure
        return await read_beside_the_loop(
            response, partial(read_response, response), context.threads
        )

    @property
    def _request_line(self) -> str:
        return f"{self.request.method} {parse_url(self.request.url).masked}"


def parse(block: Block, surroundings: Surroundings) -> Provider:
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(NewRelicSpec, block)
    found = surroundings.found_secret()
    api_key, account = (revealed(found, key) for key in ("personal-api-key", "account-id"))
    if not (api_key and account):
        raise ProviderInvalid("account ID or personal API key not found")
    for key, message in _BASE_URLS.items():
        if key in found.keys and not revealed(found, key):
            raise ProviderInvalid(message)
    account_id = _account_id(account)
    server = _server(found, surroundings.environ)
    service = surroundings.environ.get(_SERVICE_VARIABLE, "")
    headers = {
        "Api-Key": api_key,
        "Content-Type": "application/json",
        **dict.fromkeys(
            ("Newrelic-Requesting-Services", "X-Query-Source-Component-Id"),
            f"{service}|{_SERVICE}" if service else _SERVICE,
        ),
    }
    body = build_body(spec, account_id)
    request = HttpRequest("POST", server.text, headers, body, is_repeatable=True)
    return NewRelicProvider(spec, request, credential(found, "personal-api-key", server))


def build_body(spec: NewRelicSpec, account_id: int) -> bytes:
    """The query in NerdGraph's words.

    Source: argo-rollouts metricproviders/newrelic/newrelic.go:45-95 @ 9f8d111d8.
    """
    variables = {"accountId": account_id, "query": spec.query, "timeout": spec.timeout}
    return json_text({"query": _DOCUMENT, "variables": variables}).encode()


def _server(found: FoundSecret, environ: Mapping[str, str]) -> Url:
    """Where NerdGraph is: what the Secret says, else the environment, else the region's place.

    Source: newrelic-client-go v2.93.1 pkg/region/region.go:59-72 and region_constants.go:113-163.
    """
    address = revealed(found, "base-url-nerdgraph")
    place = f"base-url-nerdgraph in secret {found.name}"
    if not address:
        region = revealed(found, "region").lower()
        address = environ.get(_BASE_URL_VARIABLE) or _REGIONS.get(region, _REGIONS["us"])
        place = _BASE_URL_VARIABLE
    return server_of(address.removesuffix("/"), place)


def _account_id(text: str) -> int:
    try:
        return parse_int(text)
    except Fault as fault:
        # Whoever mixes up two keys of a Secret must not have one of them shown.
        reason = str(fault).rpartition(": ")[2]
        shown = f'strconv.Atoi: parsing "{MASK}": {reason}'
        raise ProviderInvalid(f"could not parse account ID: {shown}") from None


def _pause_s(passing: Passing, attempt: int, *, now_unix_s: float) -> float | None:
    """How long to wait before the next attempt; None if there is none."""
    if attempt > len(BACKOFFS_S):
        return None
    pause_s = BACKOFFS_S[attempt - 1]
    if passing.answer is None:
        return pause_s
    status, headers = passing.answer.status, passing.answer.headers
    told_s = silence_s(status, headers, now_unix_s=now_unix_s)
    return pause_s if told_s is None else told_s


def _check_timeout(spec: NewRelicSpec) -> None:
    if spec.timeout < 0:
        raise ProviderInvalid("timeout value needs to be a positive value")


def _rules(block: Block) -> None:
    # Argo makes a provider of a negative time limit, and so reports its query.
    _check_timeout(_shapes.parse(NewRelicSpec, block))


def _credentials(block: Block, environ: object) -> SecretUse:  # noqa: ARG001 - the port's shape
    return SecretUse(_shapes.parse(NewRelicSpec, block).profile or DEFAULT_PROFILE, _KEYS)


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(NewRelicSpec, block)


TYPE = ProviderType(
    check=_check,
    parse=parse,
    query_metadata=QUERY_METADATA,
    credentials=_credentials,
    rules=_rules,
)
