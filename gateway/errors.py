"""Every failure, sorted by who must act on it.

GatewayError
├── RequestInvalid          400   the caller
├── CredentialMissing       401   the caller
│   └── CredentialRefused   401   the caller: it is unknown, over, or for somebody else
├── CredentialUnchecked     503   nobody, wait: who could tell does not answer
├── AccessDenied            403   the caller, or the deployer: the policy
├── TemplateNotFound        404   the caller, or the deployer
├── TemplateInvalid         422   the template's author; lists every problem with its path
│   └── JobsForbidden       403   the caller, or the deployer: kubernetes.jobs
├── RunNotFound             404   the caller
├── RunUnderWay             409   the caller: wait, or terminate it first
├── IdempotencyKeyReused    422   the caller
├── TooManyRuns             429   nobody, wait; or the deployer: runs.maxLive
├── TooManyRequests         429   the caller: wait; or the deployer: access.budget
├── ProviderError           ->    never an HTTP error: a Measurement with phase Error
│   ├── ProviderInvalid           the template's author: the block cannot be turned into a request
│   │   └── EgressRefused         the template's author, or the deployer: egress
│   │       └── RedirectRefused   the same; an answer came, and led there
│   ├── ProviderUnreachable       nobody, wait: refused, reset, time-out
│   ├── ProviderRejected          the owner of the query or of the credential
│   └── ProviderUnreadable        the answer is not what the provider documents
├── ConditionError          ->    a Measurement with phase Error
├── ClusterUnavailable      503   nobody, wait: the API server did not answer
├── ClusterRefused          ->    a missing secret, a provider's error, a source that is not there
└── StoreUnavailable        ->    a verdict is computed without it; a run cannot be: 503
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self


class GatewayError(Exception):
    """The root of all failures that the gateway raises on purpose."""

    slug: str = "gateway_error"
    """A word from a closed set: metric label and JSON field."""


class RequestInvalid(GatewayError):
    """The request cannot be understood: a parameter or the body is malformed."""

    slug = "request_invalid"


class CredentialMissing(GatewayError):
    """The request says nothing about who asks, and must."""

    slug = "credential_missing"


class CredentialRefused(CredentialMissing):
    """What the request says about who asks proves nothing."""

    slug = "credential_refused"


class CredentialUnchecked(GatewayError):
    """Whoever could tell whose a credential is does not answer."""

    slug = "credential_unchecked"


class AccessDenied(GatewayError):
    """No rule of the policy lets the caller do this; the text says what is missing."""

    slug = "access_denied"


class TemplateNotFound(GatewayError):
    """No AnalysisTemplate or ClusterAnalysisTemplate has the name that was asked for."""

    slug = "template_not_found"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a template or with its arguments."""

    path: str
    """Where: ``spec.metrics[0].interval``, ``args.service``; empty for the document as a whole."""
    message: str
    """What is wrong, with Argo's words where Argo has words for it."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class TemplateInvalid(GatewayError):
    """A template or its arguments are invalid; carries all problems, not only the first."""

    slug = "template_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class JobsForbidden(TemplateInvalid):
    """A Job where there may be none; carries the place of each."""

    slug = "jobs_forbidden"


class RunNotFound(GatewayError):
    """No run has the id that was asked for, or it has been deleted."""

    slug = "run_not_found"


class RunUnderWay(GatewayError):
    """What was asked for needs a run that has ended."""

    slug = "run_under_way"


class IdempotencyKeyReused(GatewayError):
    """The key came before, with another request."""

    slug = "idempotency_key_reused"


class TooManyRuns(GatewayError):
    """As many runs as there may be are under way."""

    slug = "too_many_runs"


class TooManyRequests(GatewayError):
    """The caller asks more than its budget lets it."""

    slug = "too_many_requests"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ProviderError(GatewayError):
    """A metric provider gave no usable value. The text is the measurement's message."""

    slug = "provider_error"

    def __init__(self, message: str, *, metadata: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.metadata = metadata
        """For the measurement, e.g. ``warnings``."""
        self.expression = ""
        """Of the template, if the text quotes words of it, and so maybe pieces of a secret."""
        self.outline = ""
        """What can be told where a secret stands in that expression."""

    @classmethod
    def quoting(cls, expression: str, *, outline: str, message: str) -> Self:
        """An error about an expression of the template, whose message quotes words of it."""
        error = cls(message)
        error.expression, error.outline = expression, outline
        return error


class ProviderInvalid(ProviderError):
    """The provider's block cannot be turned into a request (Argo: a creation error)."""

    slug = "provider_invalid"


class EgressRefused(ProviderInvalid):
    """A request may not go where it leads; the text names the rule, or the policy without one."""

    slug = "egress_refused"


class RedirectRefused(EgressRefused):
    """An answer came, and leads where no request may go."""

    slug = "redirect_refused"


class ProviderUnreachable(ProviderError):
    """No answer came: refused, reset, name unknown, TLS failure, time-out."""

    slug = "provider_unreachable"


class ProviderRejected(ProviderError):
    """The provider answered that it will not: a status code or an error document."""

    slug = "provider_rejected"


class ProviderUnreadable(ProviderError):
    """The provider answered something that its documentation does not know."""

    slug = "provider_unreadable"


class ConditionError(GatewayError):
    """A condition cannot be compiled or evaluated.

    ``str(error)`` is the bare message, worded as Argo words it, without position.
    """

    slug = "condition_error"

    def __init__(self, message: str, *, expression: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.expression = expression
        self.offset = offset
        """Index of the offending character in ``expression``; None where there is no such place."""

    def pointed(self) -> str:
        """The message, the line of the expression and a caret under the offending character."""
        if self.offset is None:
            return str(self)
        start = self.expression.rfind("\n", 0, self.offset) + 1
        line = self.expression[start:].split("\n", 1)[0]
        return f"{self}\n | {line}\n | {' ' * (self.offset - start)}^"


class ClusterUnavailable(GatewayError):
    """The API server of the cluster did not answer in time, or not as one."""

    slug = "cluster_unavailable"


class ClusterRefused(GatewayError):
    """The API server answered that it will not; the text is its own."""

    slug = "cluster_refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status of its answer."""


class StoreUnavailable(GatewayError):
    """Redis did not answer in time, refused, or is being given a rest by the circuit breaker."""

    slug = "store_unavailable"
