"""What CloudWatch answers to GetMetricData, in JSON 1.0.

Sources: argo-rollouts metricproviders/cloudwatch/cloudwatch.go:86-104 @ 9f8d111d8; aws-sdk-go-v2
aws/retry/standard.go for what may pass, and smithy-go for the shape of an error.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_pascal

from gateway.errors import ProviderUnreadable
from gateway.freeze import freeze
from gateway.gotext import general_float
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse
from gateway.shapes import shape_problems
from providers._json import NotJson, decode
from providers._requests import shortened

OPERATION: Final = "operation error CloudWatch: GetMetricData"
_UNREADABLE: Final = f"{OPERATION}, deserialization failed"
_NO_JSON_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_FIRST_UNIX_S: Final = -62_135_596_800
"""The year 1."""
_END_UNIX_S: Final = 253_402_300_800
"""The year 10,000."""
_TRANSIENT_STATUS: Final = frozenset({500, 502, 503, 504})
_TRANSIENT_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_CREDENTIAL_CODES: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why AWS gives no data."""

    message: str
    code: str
    status: int

    @property
    def may_pass(self) -> bool:
        """Whether asking again may help."""
        return self.status in _TRANSIENT_STATUS or self.code in _TRANSIENT_CODES

    @property
    def is_about_credentials(self) -> bool:
        """Whether other credentials are needed."""
        return self.code in _CREDENTIAL_CODES


def read_refusal(response: HttpResponse) -> Refusal:
    """An answer whose status is not 200, in the words of Amazon's SDK."""
    request_id = response.headers.get("x-amzn-RequestId", "-")
    code, told = _error(response)
    message = (
        f"{OPERATION}, https response error StatusCode: {response.status},"
        f" RequestID: {request_id}, api error{f' {code}' if code else ''}: {shortened(told)}"
    )
    return Refusal(message, code, response.status)


def _error(response: HttpResponse) -> tuple[str, str]:
    """Code and message of an error; without a code, the body is the message.

    Source: smithy-go encoding/json and aws-sdk-go-v2 aws/protocol/restjson: the code is looked for
    in the header, then in ``__type``, then in ``code``, and is what stands between ``#`` and ``:``.
    """
    try:
        document = decode(response.body)
    except (NotJson, ProviderUnreadable):
        document = None
    members = document if isinstance(document, dict) else {}
    named = (
        response.headers.get("x-amzn-ErrorType"),
        members.get("__type"),
        members.get("code"),
    )
    code = next((each for each in named if isinstance(each, str) and each), "")
    if not code:
        return "", response.body.decode("utf-8", "replace")
    message = members.get("message", members.get("Message", ""))
    return code.rpartition("#")[2].partition(":")[0], message if isinstance(message, str) else ""


class _Answered(BaseModel):
    """A part of the answer; what is not listed is not looked at."""

    model_config = ConfigDict(
        frozen=True, strict=True, alias_generator=to_pascal, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_absent(cls, value: object) -> object:
        """A member that is null was not sent."""
        if not isinstance(value, dict):
            return value
        return {name: member for name, member in value.items() if member is not None}


def _number(value: object) -> object:
    """JSON has no NaN and no infinities: Amazon writes them as texts."""
    return float(value) if isinstance(value, str) and value in _NO_JSON_NUMBERS else value


class _Message(_Answered):
    code: str = ""
    value: str = ""


class _Result(_Answered):
    id: str = ""
    label: str | None = None
    messages: list[_Message] | None = None
    status_code: str = ""
    timestamps: list[Annotated[float, Field(ge=_FIRST_UNIX_S, lt=_END_UNIX_S)]] = []
    values: list[Annotated[float, BeforeValidator(_number)]] = []


class _Answer(_Answered):
    metric_data_results: list[_Result]
    messages: list[_Message] = []
    next_token: str | None = None


def read_results(response: HttpResponse) -> Reading:
    """The values of each query that returns data; only the first page, as in Argo.

    Raises:
        ProviderUnreadable: the answer is not what the service documents.

    """
    try:
        answer = _Answer.model_validate(decode(response.body))
    except NotJson as error:
        raise ProviderUnreadable(f"{_UNREADABLE}: {error.go_words}") from error
    except ValidationError as error:
        problem, *_ = shape_problems(_Answer, error)
        # The advice is for the author of a document, whom nobody reaches here.
        told = str(problem).removesuffix("; leave it out")
        raise ProviderUnreadable(f"{_UNREADABLE}: {told}") from error
    results = answer.metric_data_results
    texts = " ".join(f"[{' '.join(map(general_float, each.values))}]" for each in results)
    told = "; ".join(f"{each.code}: {each.value}" for each in answer.messages)
    return Reading(
        freeze([each.model_dump(by_alias=True, exclude_none=True) for each in results]),
        ResultType.METRIC_DATA,
        f"[{texts}]",
        {"messages": told} if told else {},
        is_empty=not any(each.values for each in results),
        is_partial=answer.next_token is not None
        or any(each.status_code != "Complete" for each in results),
        outlives_error=True,
    )
