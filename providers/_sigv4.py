"""Amazon's request signature, version 4, for Amazon Managed Prometheus.

Source: prometheus/common sigv4/v0.1.0 sigv4/sigv4.go, as argo-rollouts
metricproviders/prometheus/prometheus.go:282-296 @ 9f8d111d8 uses it. Unlike there, a request
without a body is signed as one (Argo crashes on it), and a region that only the credential chain
knows is used.

Credentials come from AWS's own chain, through botocore: environment, shared files and profiles, web
identity, container and instance roles. botocore reads them over connections of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gateway.errors import ProviderInvalid
from gateway.provider import HttpRequest
from providers._requests import with_headers
from providers._shapes import Sigv4Config

SERVICE = "aps"
_SESSION_NAME = "analysis-gateway"
_CLIENT_TIMEOUT_S = 3
_MISSING = (
    "SigV4 needs the extra package botocore, which is not installed:"
    " install analysis-gateway[aws], or remove authentication.sigv4"
)


@dataclass(frozen=True, slots=True)
class Sigv4:
    """Whose credentials sign, and for which region."""

    config: Sigv4Config

    def sign(self, request: HttpRequest) -> HttpRequest:
        """The request with its signature; blocks while credentials are read or renewed.

        Headers that are set later stay unsigned.

        Raises:
            ProviderInvalid: botocore is missing, or there are no credentials or no region.

        """
        try:
            signer = _signer(self.config)
            return replace(request, headers=with_headers(request.headers, signer(request)))
        except ImportError as error:
            raise ProviderInvalid(_MISSING) from error


def _signer(config: Sigv4Config) -> Callable[[HttpRequest], list[tuple[str, str]]]:
    from botocore.auth import SigV4Auth  # noqa: PLC0415 - an optional package
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - the same
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the same

    def signature(request: HttpRequest) -> list[tuple[str, str]]:
        try:
            credentials, region = _identity(config)
            unsigned = AWSRequest(
                method=request.method,
                url=request.url,
                data=request.body or b"",
                headers={k: v for k, v in request.headers.items() if k != "Authorization"},
            )
            SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(unsigned)
        except (BotoCoreError, ClientError) as error:
            raise ProviderInvalid(f"could not get SigV4 credentials: {error}") from error
        return list(unsigned.headers.items())

    return signature


@lru_cache(maxsize=64)
def _identity(config: Sigv4Config) -> tuple[Any, str]:
    """Credentials that renew themselves, and the region; remembered because both are slow to find.

    Raises:
        ProviderInvalid: there are none.

    """
    from botocore.config import Config  # noqa: PLC0415 - an optional package
    from botocore.session import Session  # noqa: PLC0415 - the same

    session = Session(profile=config.profile or None)
    session.set_default_client_config(
        Config(
            connect_timeout=_CLIENT_TIMEOUT_S,
            read_timeout=_CLIENT_TIMEOUT_S,
            retries={"total_max_attempts": 1},
        )
    )
    region = config.region or session.get_config_variable("region")
    if not region:
        raise ProviderInvalid("region not configured in sigv4 or in default credentials chain")
    credentials = session.get_credentials()
    if credentials is None:
        raise ProviderInvalid(
            "could not get SigV4 credentials: AWS's credential chain holds none; set"
            " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role for this process"
        )
    if config.role_arn:
        credentials = _assumed(session, credentials, config.role_arn, region)
    return credentials, region


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
