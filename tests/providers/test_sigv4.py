"""Amazon's signature, verified as a server verifies it."""

import hashlib
import hmac
import sys
from typing import Any

import pytest
from aws_account import SECRET
from backends import Backend, Play, Recorded, backend, failure_text, world

from gateway.model import Reading, ResultType
from gateway.provider import Context, Surroundings
from providers import PROVIDERS

ONE = Play('{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}')


pytestmark = pytest.mark.usefixtures("aws")


def sign(key: bytes, text: str) -> bytes:
    """One step of the key's derivation."""
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature_of(request: Recorded, secret: str, region: str) -> str:
    """The signature that a server computes from what arrived."""
    fields = dict(
        part.strip().split("=", 1)
        for part in request.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256").split(",")
    )
    scope = fields["Credential"].split("/", 1)[1]
    path, _, query = request.target.partition("?")
    lower = {name.lower(): value for name, value in request.headers.items()}
    names = fields["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request.method,
            path,
            "&".join(sorted(query.split("&"))),
            *(f"{name}:{lower[name].strip()}" for name in names),
            "",
            fields["SignedHeaders"],
            hashlib.sha256(request.body.encode()).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", lower["x-amz-date"], scope, digest])
    key = f"AWS4{secret}".encode()
    for part in (scope.split("/")[0], region, "aps", "aws4_request"):
        key = sign(key, part)
    assert scope.endswith(f"/{region}/aps/aws4_request")
    assert hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == fields["Signature"]
    return fields["SignedHeaders"]


async def measured(
    server: Backend,
    context: Context,
    sigv4: dict[str, str],
    **fields: Any,
) -> Reading | str:
    """What comes of a signed query."""
    block = {
        "address": f"{server.url}/aps-workspaces/ws-1",
        "query": 'up{job="a b"}',
        "authentication": {"sigv4": sigv4},
        **fields,
    }
    return await failure_text(PROVIDERS["prometheus"].parse(block, Surroundings()).measure(context))


async def test_requests_are_signed() -> None:
    """POST and the GET after it verify, each as it was sent; later headers stay unsigned."""
    async with backend(Play("", 403), ONE) as server, world() as context:
        got = await measured(
            server,
            context,
            {"region": "eu-west-1"},
            headers=[{"key": "X-Scope-OrgID", "value": "a"}],
        )
    assert got == Reading(1.0, ResultType.FLOAT, "1")
    assert [signature_of(request, SECRET, "eu-west-1") for request in server.requests] == [
        "content-type;host;x-amz-date",
        "host;x-amz-date",
    ]
    assert [request.headers["X-Scope-Orgid"] for request in server.requests] == ["a", "a"]


async def test_a_region_of_the_chain_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that names only a profile or a role signs for the chain's region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    async with backend(ONE) as server, world() as context:
        await measured(server, context, {"profile": "team"})
    signature_of(server.requests[0], "hush", "us-east-2")
    assert "Credential=AKTEAM/" in server.requests[0].headers["Authorization"]


async def test_a_signature_replaces_a_token() -> None:
    """Of two that authenticate, the signature is nearer to the wire."""
    token = Play('{"access_token":"AT"}', headers={"Content-Type": "application/json"})
    async with backend(token) as tokens, backend(ONE) as server, world() as context:
        oauth2 = {"tokenUrl": tokens.url, "clientId": "c", "clientSecret": "s"}
        sigv4 = {"region": "eu-west-1"}
        await measured(server, context, {}, authentication={"oauth2": oauth2, "sigv4": sigv4})
    signature_of(server.requests[0], SECRET, "eu-west-1")


async def test_a_role_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of the role sign, once Amazon's token service has granted them."""
    granted = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleResult><Credentials><AccessKeyId>AKROLE</AccessKeyId>
      <SecretAccessKey>role-secret</SecretAccessKey><SessionToken>session</SessionToken>
      <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>
    </AssumeRoleResponse>"""
    async with backend(Play(granted)) as sts, backend(ONE) as server, world() as context:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        role = {"region": "eu-west-1", "roleArn": "arn:aws:iam::123456789012:role/reader"}
        assert isinstance(await measured(server, context, role), Reading)
        await measured(server, context, role)
    assert len(sts.requests) == 1
    assert "role%2Freader" in sts.requests[0].body
    for request in server.requests:
        signature_of(request, "role-secret", "eu-west-1")
        assert request.headers["X-Amz-Security-Token"] == "session"


@pytest.mark.parametrize(
    ("sigv4", "failure"),
    [
        pytest.param(
            {"profile": "nobody"},
            "ProviderInvalid: could not get SigV4 credentials:"
            " The config profile (nobody) could not be found",
            id="an-unknown-profile",
        ),
        pytest.param(
            {"roleArn": "arn:aws:iam::1:role/r"},
            "ProviderInvalid: region not configured in sigv4 or in default credentials chain",
            id="no-region-anywhere",
        ),
    ],
)
async def test_what_cannot_sign_is_told(sigv4: dict[str, str], failure: str) -> None:
    """Nothing is sent without a signature."""
    async with backend(ONE) as server, world() as context:
        assert await measured(server, context, sigv4) == failure
    assert server.requests == []


async def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says where credentials may come from."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with backend(ONE) as server, world() as context:
        assert await measured(server, context, {"region": "eu-west-1"}) == (
            "ProviderInvalid: could not get SigV4 credentials: AWS's credential chain holds none;"
            " set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role for this"
            " process"
        )


async def test_slow_credentials_meet_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's own services have only the time of the measurement."""
    async with backend(Play("", delay_s=1.5)) as sts, backend(ONE) as server, world() as context:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        role = {"region": "eu-west-1", "roleArn": "arn:aws:iam::123456789012:role/reader"}
        assert await measured(server, context, role, timeout=1) == (
            "ProviderUnreachable: could not get SigV4 credentials: context deadline exceeded"
        )


async def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install stands in the error."""
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    async with backend(ONE) as server, world() as context:
        assert await measured(server, context, {"region": "eu-west-1"}) == (
            "ProviderInvalid: SigV4 needs the extra package botocore, which is not installed:"
            " install analysis-gateway[aws], or remove authentication.sigv4"
        )
