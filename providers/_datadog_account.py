"""Whose Datadog account is asked, and where its keys come from.

Source: argo-rollouts metricproviders/datadog/datadog.go:628-654 and finders.go @ 9f8d111d8. Unlike
there, a Secret that cannot be read says why.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import ProviderInvalid
from gateway.gotext import quote
from gateway.provider import Credential, SecretOwner, SecretUse, Surroundings
from gateway.secrets import Secret
from gateway.upstreams.gourl import Url, UrlInvalid, parse_url
from providers._shapes import Shape
from providers._vendor_secrets import secrets_of, server_of

API_KEY: Final = "api-key"
APP_KEY: Final = "app-key"
ADDRESS: Final = "address"
DEFAULT_ADDRESS: Final = "https://api.datadoghq.com"
VARIABLES: Final = {API_KEY: "DD_API_KEY", APP_KEY: "DD_APP_KEY", ADDRESS: "DD_ADDRESS"}
"""The keys of a Secret, and the environment variables that stand for them."""
NOT_FOUND: Final = "failed to find the credentials for datadog metrics provider"
_DEFAULT_NAME: Final = "datadog"
_OF_THE_ENVIRONMENT: Final = "environment"
_HOST_ALONE: Final = re.compile(r"([A-Za-z]+://)?[^/@?#]*/?")
"""An address that has nothing but maybe a scheme, a host and a port."""


class SecretRef(Shape):
    """Which Secret holds the keys, and whether it is in the namespace of the analysis."""

    name: str = ""
    namespaced: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account of Datadog."""

    address: str = field(repr=False)
    """Where its API is; a route is appended to it."""
    api_key: Secret
    app_key: Secret
    name: str
    """Where it was found, as it may be shown."""

    @property
    def credential(self) -> Credential:
        """What proves its identity."""
        try:
            in_address = secrets_of(parse_url(self.address))
        except UrlInvalid:
            in_address = ()
        return Credential(self.name, (self.api_key, self.app_key, *in_address))

    def url(self, route: str) -> Url:
        """Where a question goes. Raises ProviderInvalid if the address is no URL."""
        try:
            if not _HOST_ALONE.fullmatch(self.address):
                # An error would quote what may be a password.
                server_of(self.address, f"the address of {self.name}")
            parse_url(self.address)
            return parse_url(f"{self.address}{route}")
        except UrlInvalid as error:
            raise ProviderInvalid(str(error)) from error


def secret_use(ref: SecretRef, environ: Mapping[str, str]) -> SecretUse | None:
    """The Secret that is to be read; None if the environment has the keys.

    Raises:
        ProviderInvalid: with Argo's text.

    """
    if ref.namespaced and not ref.name:
        raise ProviderInvalid("secret name is required for namespaced credentials")
    if ref.name:
        owner = SecretOwner.ANALYSIS if ref.namespaced else SecretOwner.GATEWAY
        return SecretUse(ref.name, tuple(VARIABLES), owner)
    if _account(_of_environment(environ), _OF_THE_ENVIRONMENT):
        return None
    return SecretUse(_DEFAULT_NAME, tuple(VARIABLES))


def find_account(ref: SecretRef, surroundings: Surroundings) -> Account:
    """The account whose keys are there.

    Raises:
        ProviderInvalid: with Argo's text, and with the reason where that is not just that there
            are none.

    """
    use = secret_use(ref, surroundings.environ)
    if use is None:
        account = _account(_of_environment(surroundings.environ), _OF_THE_ENVIRONMENT)
    else:
        try:
            found = surroundings.found_secret()
        except ProviderInvalid as error:
            raise ProviderInvalid(_worded(use, str(error))) from error
        account = _account(surroundings.secret_values(), found.name)
    if account is None:
        raise ProviderInvalid(NOT_FOUND)
    return account


def _of_environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    found = {key: environ[name] for key, name in VARIABLES.items() if name in environ}
    return found if len(found) == len(VARIABLES) else {}


def _account(values: Mapping[str, str], name: str) -> Account | None:
    api_key, app_key = values.get(API_KEY), values.get(APP_KEY)
    if not api_key or not app_key:
        return None
    address = values.get(ADDRESS) or DEFAULT_ADDRESS
    return Account(address, Secret(api_key), Secret(app_key), name)


def _worded(use: SecretUse, reason: str) -> str:
    is_plain = reason == f"secrets {quote(use.name)} not found"
    return NOT_FOUND if is_plain else f"{NOT_FOUND}: {reason}"
