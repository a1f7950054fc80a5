"""Amazon's request signature, version 4, for Amazon Managed Prometheus.

Source: prometheus/common sigv4/v0.1.0 sigv4/sigv4.go, as argo-rollouts
metricproviders/prometheus/prometheus.go:282-296 @ 9f8d111d8 uses it. Unlike there, a request
without a body is signed as one (Argo crashes on it), and a region that only the credential chain
knows is used.
"""

from dataclasses import dataclass

from gateway.errors import ProviderInvalid
from gateway.provider import HttpRequest
from providers import _aws
from providers._shapes import Sigv4Config

SERVICE = "aps"
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

        Raises:
            ProviderInvalid: botocore is missing, or there are no credentials or no region.

        """
        account = _aws.Account(self.config.profile, self.config.role_arn, self.config.region)
        try:
            return _aws.signed(request, account, SERVICE)
        except _aws.NoPackage as error:
            raise ProviderInvalid(_MISSING) from error
        except _aws.NoRegion as error:
            message = "region not configured in sigv4 or in default credentials chain"
            raise ProviderInvalid(message) from error
        except _aws.AwsError as error:
            raise ProviderInvalid(f"could not get SigV4 credentials: {error}") from error
