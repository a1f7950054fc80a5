"""cloudWatch against a stand-in of AWS that checks, stores and answers: moto 5.2.5."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from backends import Play, backend, failure_text, world

from gateway.conditions import judge
from gateway.model import Phase, Reading
from gateway.provider import Context, HttpRequest, HttpResponse, Surroundings
from providers.cloudwatch import parse

PYTHON = Path(sys.prefix) / "moto" / "bin" / "python"
SERVER = Path(__file__).parents[1] / "moto_server.py"
VALUES_BY_AGE_MIN = {1: 4.0, 2: 6.0, 3: 10.0}
BLOCK: dict[str, Any] = {
    "interval": "10m",
    "metricDataQueries": [
        {
            "id": "errs",
            "metricStat": {
                "metric": {
                    "namespace": "shop",
                    "metricName": "Errs",
                    "dimensions": [{"name": "Svc", "value": "cart"}],
                },
                "period": "60",
                "stat": "Sum",
            },
        },
    ],
}
ROLE = "arn:aws:iam::123456789012:role/reader"

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture(name="moto_url", scope="module")
def _moto_url() -> Iterator[str]:
    if not PYTHON.exists():
        pytest.skip(f"moto is not installed: there is no {PYTHON}")
    process = subprocess.Popen(
        [str(PYTHON), str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "moto has not started"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(name="amazon")
def _amazon(aws: None, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001 - the account comes first
    """Amazon's services are there, and have the values of three minutes."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    client = botocore.session.Session().create_client("cloudwatch", region_name="eu-west-1")
    data = [
        {
            "MetricName": "Errs",
            "Dimensions": [{"Name": "Svc", "Value": "cart"}],
            "Timestamp": time.time() - 60 * age_min,
            "Value": value,
        }
        for age_min, value in VALUES_BY_AGE_MIN.items()
    ]
    client.put_metric_data(Namespace="shop", MetricData=data)
    return moto_url


class Watched:
    """The way out, with what went there."""

    def __init__(self, context: Context) -> None:
        self._inner = context.http
        self.sent: list[HttpRequest] = []

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        """Pass it on."""
        self.sent.append(request)
        return await self._inner.send(request, timeout_s=timeout_s)


async def measured(block: dict[str, Any] = BLOCK) -> tuple[Reading | str, HttpRequest]:
    """The reading or the error, at the present time; and the last request."""
    async with world() as context:
        watched = Watched(context)
        real = replace(context, http=watched, now_unix_s=time.time)
        outcome = await failure_text(parse(block, Surroundings()).measure(real))
    return outcome, watched.sent[-1]


async def key_of(block: dict[str, Any] = BLOCK) -> tuple[str, str | None]:
    """Whose key has signed a call that was answered, and the token of the session."""
    outcome, request = await measured(block)
    assert isinstance(outcome, Reading), outcome
    authorization = request.headers["Authorization"]
    key_id = authorization.partition("Credential=")[2].partition("/")[0]
    return key_id, request.headers.get("X-Amz-Security-Token")


@pytest.mark.usefixtures("amazon")
async def test_what_amazon_answers_is_read() -> None:
    """Names, values and instants; moto knows no expressions."""
    outcome, _ = await measured()
    assert isinstance(outcome, Reading)
    assert sorted(json.loads(outcome.text.replace(" ", ","))[0]) == [4.0, 6.0, 10.0]
    assert (outcome.is_empty, outcome.is_partial) == (False, False)
    condition = 'result[0].Id == "errs" && all(result[0].Values, # <= 10) && len(result) == 1'
    judgement = judge(outcome, success_condition=condition, failure_condition="")
    assert judgement.phase is Phase.SUCCESSFUL
    instants = "all(result[0].Timestamps, now() - # < duration('10m'))"
    judgement = judge(outcome, success_condition=instants, failure_condition="")
    assert judgement.phase is Phase.SUCCESSFUL


@pytest.mark.usefixtures("amazon")
async def test_a_metric_that_nobody_wrote_has_no_values() -> None:
    """An empty list: what looks at its first element is an Error."""
    query = {"id": "a", "metricStat": {"metric": {"namespace": "no", "metricName": "No"}}}
    query["metricStat"] |= {"period": 60, "stat": "Sum"}  # type: ignore[operator] # a dict
    outcome, _ = await measured({"metricDataQueries": [query]})
    assert isinstance(outcome, Reading)
    assert (outcome.text, outcome.is_empty) == ("[[]]", True)


@pytest.mark.usefixtures("amazon")
async def test_a_web_identity_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As IAM roles for service accounts hand it to a pod."""
    (tmp_path / "token").write_text("a.service.account")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    key_id, token = await key_of()
    assert key_id.startswith("ASIA")
    assert token


@pytest.mark.usefixtures("amazon")
async def test_a_role_of_a_profile_is_assumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile that the process is told to use says which, and who may."""
    (tmp_path / "config").write_text(
        f"[profile reader]\nrole_arn = {ROLE}\nsource_profile = team\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "reader")
    key_id, token = await key_of()
    assert key_id.startswith("ASIA")
    assert token


@pytest.mark.usefixtures("amazon")
async def test_a_pod_identity_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent on the node gives credentials to who shows the pod's token."""
    (tmp_path / "token").write_text("pod-token")
    granted = {
        "AccessKeyId": "ASIAPOD",
        "SecretAccessKey": "pod-secret",
        "Token": "pod-session",
        "Expiration": "2099-01-01T00:00:00Z",
    }
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    async with backend(Play(json.dumps(granted))) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1/credentials")
        assert await key_of() == ("ASIAPOD", "pod-session")
    assert agent.requests[0].headers["Authorization"] == "pod-token"


@pytest.mark.usefixtures("amazon")
async def test_a_refusal_is_told_in_amazons_words() -> None:
    """A query needs a name, a metric or an expression."""
    outcome, _ = await measured({"metricDataQueries": [{"id": "Bad"}]})
    assert isinstance(outcome, str)
    assert re.fullmatch(
        r"ProviderRejected: operation error CloudWatch: GetMetricData, https response error"
        r" StatusCode: 400, RequestID: \w+, api error ValidationException: The parameter"
        r" MetricDataQueries.member.1.MetricStat is required.\n?",
        outcome,
    )
