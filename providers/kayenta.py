"""kayenta: an automated canary analysis, which takes its time and gives a score.

Source: argo-rollouts metricproviders/kayenta/kayenta.go @ 9f8d111d8. A configuration is looked up
by its name, an execution is begun, and looked at every 15 s until it is complete. Its score without
the fraction decides: Successful from ``threshold.pass``, Inconclusive from ``threshold.marginal``,
Failed below; conditions are not asked. As in Argo, nothing in a URL is escaped, and the storage
account is sent under the name of the configuration account when the configuration is looked up.
Unlike Argo, an answer without an execution id is an Error, nothing is looked at for ever, and
``lookback`` begins now while the run has no beginning (Argo crashes).

No data: a completed execution without a score is an Error.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from pydantic import Field

from gateway.durations import parse_duration_s
from gateway.errors import ProviderInvalid, ProviderUnreachable
from gateway.gotext import quote
from gateway.model import Phase
from gateway.provider import (
    Attempt,
    Block,
    Context,
    HttpRequest,
    HttpResponse,
    LastingProvider,
    Progress,
    ProviderType,
    Surroundings,
)
from gateway.upstreams.gourl import UrlInvalid, parse_url
from providers import _shapes
from providers._kayenta_answers import read_config_id, read_execution_id, read_score
from providers._requests import exchange
from providers._shapes import Int64, Items, Shape

TIMEOUT_S: Final = 15.0
"""Of each call. Source: argo-rollouts metricproviders/kayenta/kayenta.go:31 @ 9f8d111d8."""
LOOK_EVERY_S: Final = 15.0
"""Source: argo-rollouts metricproviders/kayenta/kayenta.go:30 @ 9f8d111d8."""
LONGEST_S: Final = 3_600.0
"""How long an execution may take. Unlike Argo, which looks for ever."""
EXECUTION_ID: Final = "canaryExecutionId"
"""In a measurement's metadata: by it an execution is found again."""

Answer = TypeVar("Answer")


class KayentaThreshold(Shape):
    """From which scores on an execution is good, or not bad."""

    pass_: Int64 = Field(alias="pass")
    marginal: Int64


class KayentaScopeDetail(Shape):
    """One side of a comparison: what is measured, where and when."""

    scope: str
    region: str
    step: Int64
    start: str = ""
    end: str = ""


class KayentaScope(Shape):
    """A comparison, as the configuration names it."""

    name: str
    control_scope: KayentaScopeDetail
    experiment_scope: KayentaScopeDetail


class KayentaSpec(Shape):
    """The block under ``provider.kayenta``.

    Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:546-581 @ 9f8d111d8.
    """

    address: str
    application: str
    canary_config_name: str
    metrics_account_name: str
    configuration_account_name: str
    storage_account_name: str
    threshold: KayentaThreshold
    scopes: Items[KayentaScope]
    lookback: bool = False


@dataclass(frozen=True, slots=True)
class KayentaProvider:
    """One kind of analysis, executed anew for each measurement."""

    spec: KayentaSpec
    timeout_s: float = TIMEOUT_S

    def resolved_query(self) -> str:
        """Nothing: the queries are Kayenta's."""
        return ""

    def longest_s(self) -> float:
        """Until the look that ends it is over."""
        return LONGEST_S + LOOK_EVERY_S + TIMEOUT_S

    async def advance(self, context: Context, attempt: Attempt) -> Progress:
        """Begin an execution, or see how it stands.

        Source: argo-rollouts metricproviders/kayenta/kayenta.go:108-244 @ 9f8d111d8. As there, a
        beginning of which nothing was heard is an Error: Kayenta knows executions by nothing but
        the id that it gives them. A second one harms nobody.
        """
        execution_id = attempt.metadata.get(EXECUTION_ID)
        if execution_id is None:
            return await self._begin(context, attempt)
        return await self._look(context, attempt, execution_id)

    async def terminate(self, context: Context, attempt: Attempt) -> None:
        """Nothing, as in Argo: the execution goes on, and nobody looks at it.

        Source: argo-rollouts metricproviders/kayenta/kayenta.go:311-314 @ 9f8d111d8.
        """

    async def collect(self, context: Context, attempt: Attempt, *, keep: int) -> None:
        """Nothing: executions are Kayenta's to remove."""

    def build_lookup(self) -> HttpRequest:
        """The question for all configurations of the application."""
        return HttpRequest("GET", _lookup_url(self.spec))

    def build_beginning(
        self, config_id: str, attempt: Attempt, *, now_unix_s: float
    ) -> HttpRequest:
        """The order for an execution.

        Raises:
            ProviderInvalid: the scopes or the metric's interval do not tell a time.

        """
        spec = self.spec
        url = (
            f"{spec.address}/canary/{config_id}?application={spec.application}"
            f"&metricsAccountName={spec.metrics_account_name}"
            f"&configurationAccountName={spec.configuration_account_name}"
            f"&storageAccountName={spec.storage_account_name}"
        )
        order = {
            # Of scopes with the same name the last one counts.
            "scopes": {
                scope.name: _comparison(
                    scope,
                    start=partial(_default_start, spec, attempt, now_unix_s),
                    end=_rfc3339(now_unix_s),
                )
                for scope in spec.scopes
            },
            "thresholds": {"pass": spec.threshold.pass_, "marginal": spec.threshold.marginal},
        }
        body = json.dumps(order, separators=(",", ":")).encode()
        return HttpRequest("POST", url, {"Content-Type": "application/json"}, body)

    def build_look(self, execution_id: str) -> HttpRequest:
        """The question how an execution stands."""
        return HttpRequest("GET", f"{self.spec.address}/canary/{execution_id}")

    async def _begin(self, context: Context, attempt: Attempt) -> Progress:
        read = partial(read_config_id, name=self.spec.canary_config_name)
        config_id = await self._ask(context, self.build_lookup(), read)
        order = self.build_beginning(config_id, attempt, now_unix_s=context.now_unix_s())
        execution_id = await self._ask(context, order, read_execution_id)
        return _running(execution_id, context.now_unix_s())

    async def _look(self, context: Context, attempt: Attempt, execution_id: str) -> Progress:
        score = await self._ask(context, self.build_look(execution_id), read_score)
        if score is not None:
            return _completed(execution_id, score, self.spec.threshold)
        now_unix_s = context.now_unix_s()
        if now_unix_s - attempt.began_at_unix_s > LONGEST_S:
            raise ProviderUnreachable(
                f"the canary execution {execution_id} is not complete after {LONGEST_S:g}s;"
                " it is not waited for any longer"
            )
        return _running(execution_id, now_unix_s)

    async def _ask(
        self, context: Context, request: HttpRequest, read: Callable[[HttpResponse], Answer]
    ) -> Answer:
        return await exchange(context, request, read, timeout_s=self.timeout_s)


def parse(block: Block, surroundings: Surroundings) -> LastingProvider:  # noqa: ARG001 - the port's shape
    """A block as a provider.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    spec = _shapes.parse(KayentaSpec, block)
    try:
        parse_url(_lookup_url(spec))
    except UrlInvalid as error:
        raise ProviderInvalid(str(error)) from error
    return KayentaProvider(spec)


def judged(score: int, threshold: KayentaThreshold) -> Phase:
    """What a score means.

    Source: argo-rollouts metricproviders/kayenta/kayenta.go:236-244 @ 9f8d111d8.
    """
    if score >= threshold.pass_:
        return Phase.SUCCESSFUL
    return Phase.INCONCLUSIVE if score >= threshold.marginal else Phase.FAILED


def _lookup_url(spec: KayentaSpec) -> str:
    return (
        f"{spec.address}/canaryConfig?application={spec.application}"
        f"&configurationAccountName={spec.storage_account_name}"
    )


def _comparison(
    scope: KayentaScope, *, start: Callable[[], str], end: str
) -> Mapping[str, Mapping[str, object]]:
    """Both sides of a scope, with what they leave open.

    Source: argo-rollouts metricproviders/kayenta/kayenta.go:246-308 @ 9f8d111d8.
    """
    control, experiment = scope.control_scope, scope.experiment_scope
    for name, one, other in (
        ("start", control.start, experiment.start),
        ("end", control.end, experiment.end),
    ):
        if bool(one) is not bool(other):
            raise ProviderInvalid(
                f"controlScope.{name} and experimentScope.{name} must both be set or be empty"
            )
    return {
        name: {
            "scope": side.scope,
            "location": side.region,
            "step": side.step,
            "start": side.start or start(),
            "end": side.end or end,
        }
        for name, side in (("controlScope", control), ("experimentScope", experiment))
    }


def _default_start(spec: KayentaSpec, attempt: Attempt, now_unix_s: float) -> str:
    if spec.lookback:
        began_at_unix_s = attempt.analysis_began_at_unix_s
        return _rfc3339(now_unix_s if began_at_unix_s is None else began_at_unix_s)
    try:
        return _rfc3339(now_unix_s - parse_duration_s(attempt.interval))
    except ValueError as error:
        raise ProviderInvalid(f"Invalid duration {quote(attempt.interval)}: {error}") from error


def _rfc3339(unix_s: float) -> str:
    """Whole seconds, UTC."""
    return f"{datetime.fromtimestamp(math.floor(unix_s), UTC).replace(tzinfo=None).isoformat()}Z"


def _running(execution_id: str, now_unix_s: float) -> Progress:
    return Progress(
        phase=Phase.RUNNING,
        metadata={EXECUTION_ID: execution_id},
        resume_at_unix_s=now_unix_s + LOOK_EVERY_S,
    )


def _completed(execution_id: str, score: int, threshold: KayentaThreshold) -> Progress:
    return Progress(
        phase=judged(score, threshold),
        text=f"score {score} (pass {threshold.pass_}, marginal {threshold.marginal})",
        value=score,
        metadata={EXECUTION_ID: execution_id},
    )


def _check(block: Block) -> list[tuple[str, str]]:
    return _shapes.check(KayentaSpec, block)


TYPE = ProviderType(check=_check, parse=parse)
