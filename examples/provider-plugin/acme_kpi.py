"""acme/kpi: one figure of Acme's KPI service, which answers CSV.

No data: a figure without a value is an empty reading, never 0, so that a condition on it is an
Error. A figure that the service does not know is an Error as well.
"""

import asyncio
import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gateway.errors import ProviderInvalid, ProviderRejected, ProviderUnreadable
from gateway.model import Reading, ResultType
from gateway.provider import (
    Block,
    Context,
    Credential,
    HttpRequest,
    HttpResponse,
    ProviderType,
    SecretUse,
    Surroundings,
)
from gateway.shapes import shape_problems

SECRET = SecretUse("acme-kpi", ("address", "token"))
"""Who chooses the address gets the token, so both stand in the Secret."""
_OK = 200


class KpiSpec(BaseModel):
    """The block under ``acme/kpi``."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )

    kpi: str
    address: str = ""
    """Of a service that wants no token; empty for the one in the Secret."""
    timeout_seconds: int = Field(10, gt=0)


@dataclass(frozen=True, slots=True)
class KpiProvider:
    """One figure of one service."""

    kpi: str
    request: HttpRequest
    timeout_s: float
    credential: Credential

    def resolved_query(self) -> str:
        """The name of the figure."""
        return self.kpi

    async def measure(self, context: Context) -> Reading:
        """Ask for all figures, and read one. Raises ProviderError and nothing else."""
        response = await context.http.send(self.request, timeout_s=self.timeout_s)
        # A long answer takes a while to read, and nobody else is served meanwhile.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(context.threads, read_response, response, self.kpi)


def check(block: Block) -> list[tuple[str, str]]:
    """All that is wrong with the shape of a block; its texts may still hold ``{{args.x}}``."""
    try:
        KpiSpec.model_validate(block)
    except ValidationError as error:
        return [(problem.path, problem.message) for problem in shape_problems(KpiSpec, error)]
    return []


def rules(block: Block) -> KpiSpec:
    """A block as a value. Raises ProviderInvalid."""
    try:
        return KpiSpec.model_validate(block)
    except ValidationError as error:
        problems = "; ".join(map(str, shape_problems(KpiSpec, error)))
        raise ProviderInvalid(problems) from error


def credentials(block: Block, _environ: Mapping[str, str]) -> SecretUse | None:
    """The Secret that a block wants."""
    return None if block.get("address") else SECRET


def parse(block: Block, surroundings: Surroundings) -> KpiProvider:
    """A block and its Secret as a provider. Raises ProviderInvalid."""
    spec = rules(block)
    if spec.address:
        request = build_request(spec.address, {})
        return KpiProvider(spec.kpi, request, spec.timeout_seconds, Credential(""))
    secret = surroundings.found_secret()
    if set(secret.keys) != set(SECRET.keys):
        raise ProviderInvalid(f"Secret {secret.name} must have the keys address and token")
    token = secret.keys["token"]
    request = build_request(
        secret.keys["address"].reveal(), {"Authorization": f"Bearer {token.reveal()}"}
    )
    return KpiProvider(spec.kpi, request, spec.timeout_seconds, Credential(secret.name, (token,)))


def build_request(address: str, headers: Mapping[str, str]) -> HttpRequest:
    """The question, as data."""
    return HttpRequest("GET", f"{address.rstrip('/')}/kpis.csv", headers)


def read_response(response: HttpResponse, kpi: str) -> Reading:
    """The figure of that name.

    Raises:
        ProviderRejected: the status is not 200.
        ProviderUnreadable: the answer is no CSV, or has no such figure.

    """
    if response.status != _OK:
        raise ProviderRejected(f"the KPI service answered {response.status}")
    try:
        rows = csv.reader(response.body.decode().splitlines())
        figures = {row[0]: row[1] for row in rows if len(row) > 1}
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProviderUnreadable(f"the answer is no CSV: {error}") from error
    if kpi not in figures:
        raise ProviderUnreadable(f"the KPI service has no figure {kpi!r}")
    return read_figure(figures[kpi].strip())


def read_figure(text: str) -> Reading:
    """A number, or an empty reading. Raises ProviderUnreadable."""
    if not text:
        return Reading(None, ResultType.FLOAT, "", is_empty=True)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ProviderUnreadable(f"the figure is no number: {text[:100]!r}")
    return Reading(number, ResultType.FLOAT, text)


TYPE = ProviderType(
    check=check,
    parse=parse,
    query_metadata="ResolvedKpi",
    credentials=credentials,
    rules=rules,
)
