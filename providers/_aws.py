"""Who this process is to Amazon: its credentials, region and signature, through botocore.

Credentials come from AWS's own chain: environment, shared files and profiles, web identity, Pod
Identity, container and instance roles. botocore reads them over connections of its own, and
blocks meanwhile.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gateway.provider import HttpRequest
from gateway.secrets import Redaction, Secret
from providers._requests import with_headers

_SESSION_NAME = "analysis-gateway"
_CLIENT_TIMEOUT_S = 3
_TOKEN_HEADER = "X-Amz-Security-Token"  # noqa: S105 - a name


class AwsError(Exception):
    """Why nothing can be signed."""


class NoPackage(AwsError):
    """botocore is not installed."""


class NoRegion(AwsError):
    """Nobody says which region it is about."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is chosen of the credentials that a process may have; unset, the chain decides."""

    profile: str = ""
    role_arn: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Credentials that renew themselves, and the region that they are used in."""

    session: Any
    credentials: Any
    region: str


def signed(request: HttpRequest, account: Account, service: str) -> HttpRequest:
    """The request with its signature; blocks while credentials are read or renewed.

    Headers that are set later stay unsigned.

    Raises:
        AwsError: botocore is missing, or there are no credentials or no region.

    """
    with _translating():
        return _signed(request, _identity(account), service)


def session_of(request: HttpRequest) -> Redaction:
    """What masks the session's token of a signed request, which its server may echo."""
    return Redaction([Secret(request.headers.get(_TOKEN_HEADER, ""))])


def endpoint(account: Account, service: str) -> str:
    """The URL of one of Amazon's services, by its name in botocore; blocks.

    ``AWS_ENDPOINT_URL`` and its like count, and so do FIPS and dual-stack settings.

    Raises:
        AwsError: as ``signed`` does.

    """
    with _translating():
        return _endpoint(account, service)


def forget() -> None:
    """Find credentials anew for who asks next: those that are known were refused."""
    _identity.cache_clear()
    _endpoint.cache_clear()


@contextmanager
def _translating() -> Iterator[None]:
    """What botocore raises, as AwsError."""
    try:
        from botocore.exceptions import (  # noqa: PLC0415 - an optional package
            BotoCoreError,
            ClientError,
        )
    except ImportError as error:
        raise NoPackage from error
    try:
        yield
    except ImportError as error:
        raise NoPackage from error
    except (BotoCoreError, ClientError) as error:
        raise AwsError(str(error)) from error


def _signed(request: HttpRequest, identity: Identity, service: str) -> HttpRequest:
    from botocore.auth import SigV4Auth  # noqa: PLC0415 - an optional package
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - the same

    unsigned = AWSRequest(
        method=request.method,
        url=request.url,
        data=request.body or b"",
        headers={k: v for k, v in request.headers.items() if k != "Authorization"},
    )
    frozen = identity.credentials.get_frozen_credentials()
    SigV4Auth(frozen, service, identity.region).add_auth(unsigned)
    return replace(request, headers=with_headers(request.headers, unsigned.headers.items()))


@lru_cache(maxsize=64)
def _endpoint(account: Account, service: str) -> str:
    identity = _identity(account)
    try:
        client = identity.session.create_client(service, region_name=identity.region)
    except ValueError as error:
        # Not shown: a password may stand in it.
        raise AwsError(
            "what AWS_ENDPOINT_URL, or a setting like it, says is no URL of a server"
        ) from error
    return str(client.meta.endpoint_url)


@lru_cache(maxsize=64)
def _identity(account: Account) -> Identity:
    """Remembered because it is slow to find.

    Raises:
        AwsError: there are no credentials.
        NoRegion: there is no region.

    """
    from botocore.config import Config  # noqa: PLC0415 - an optional package
    from botocore.session import Session  # noqa: PLC0415 - the same

    session = Session(profile=account.profile or None)
    session.set_default_client_config(
        Config(
            connect_timeout=_CLIENT_TIMEOUT_S,
            read_timeout=_CLIENT_TIMEOUT_S,
            retries={"total_max_attempts": 1},
        )
    )
    # botocore knows AWS_DEFAULT_REGION only, the other SDKs know this one.
    region = account.region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
    if not region:
        raise NoRegion
    # For the clients of the chain itself, which ask for the credentials of a role.
    session.set_config_variable("region", region)
    credentials = session.get_credentials()
    if credentials is None:
        raise AwsError(
            "AWS's credential chain holds none; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
            " a profile, or a role for this process"
        )
    if account.role_arn:
        credentials = _assumed(session, credentials, account.role_arn, region)
    return Identity(session, credentials, region)


def _assumed(session: Any, credentials: Any, role_arn: str, region: str) -> Any:  # noqa: ANN401 - botocore has no types
    from botocore.credentials import (  # noqa: PLC0415 - an optional package
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )

    def client(service: str, **options: Any) -> Any:  # noqa: ANN401 - the same
        return session.create_client(service, **{"region_name": region, **options})

    fetcher = AssumeRoleCredentialFetcher(
        client, credentials, role_arn, extra_args={"RoleSessionName": _SESSION_NAME}
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
