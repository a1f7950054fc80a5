"""Settings about who may ask."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.settings import Settings

KNOWN: dict[str, Any] = {"policy": "policy.yaml", "tokens": "tokens.yaml"}
GITHUB: dict[str, Any] = {
    "name": "github",
    "issuer": "https://token.actions.githubusercontent.com",
    "audiences": ["analysis-gateway"],
}


def problem(**fields: object) -> str:
    """What is wrong with settings."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(fields)
    (found,) = caught.value.errors()
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {found['msg']}".removeprefix(": ").replace("Value error, ", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_who_is_on_this_machine_needs_no_credential(host: str) -> None:
    """Unless the settings say so."""
    assert not Settings.model_validate({"host": host}).access.is_configured
    assert Settings.model_validate({"host": host, "access": KNOWN}).access.is_configured


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.1.2.3", "analysis-gateway", "127.1"])
def test_nobody_listens_to_strangers_without_knowing_them(host: str) -> None:
    """The start is refused, and told what to do."""
    assert problem(host=host) == (
        f"host {host!r} can be reached by others, and nothing says who of them may ask: set access,"
        " or listen on 127.0.0.1 (docs/security.md)"
    )
    assert Settings.model_validate({"host": host, "access": KNOWN}).host == host


@pytest.mark.parametrize(
    ("access", "told"),
    [
        pytest.param(
            {"tokens": "tokens.yaml"},
            "access: needs policy: without one no caller may do anything",
            id="no-policy",
        ),
        pytest.param(
            {"policy": "policy.yaml"},
            "access: needs tokens, tokenReview.audiences, jwt or certificates: with a policy alone"
            " nobody has a credential",
            id="no-credentials",
        ),
        pytest.param(
            {**KNOWN, "tokenReview": {"audiences": ["x"]}},
            "access.tokenReview needs kubernetes.connect",
            id="no-cluster",
        ),
        pytest.param(
            {**KNOWN, "jwt": [GITHUB, {**GITHUB, "issuer": "https://other"}]},
            "access: jwt: two issuers have the same name",
            id="one-name-for-two-issuers",
        ),
        pytest.param(
            {**KNOWN, "jwt": [GITHUB, {**GITHUB, "name": "other"}]},
            "access: jwt: two issuers have the same issuer",
            id="two-names-for-one-issuer",
        ),
        pytest.param(
            {**KNOWN, "jwt": [{**GITHUB, "name": "a:b"}]},
            "access.jwt.0.name: must be up to 32 lower case letters, digits and '-'",
            id="a-name-with-a-colon",
        ),
        pytest.param(
            {**KNOWN, "jwt": [{**GITHUB, "issuer": "http://issuer"}]},
            "access.jwt.0.issuer: must be an https:// URL",
            id="an-issuer-that-anybody-on-the-way-can-be",
        ),
        pytest.param(
            {**KNOWN, "jwt": [{**GITHUB, "jwks": "https://[x/keys"}]},
            "access.jwt.0.jwks: must be an https:// URL",
            id="no-url",
        ),
        pytest.param(
            {**KNOWN, "jwt": [{**GITHUB, "audiences": []}]},
            "access.jwt.0.audiences: Tuple should have at least 1 item after validation, not 0",
            id="no-audience",
        ),
        pytest.param(
            {**KNOWN, "jwt": [{**GITHUB, "leeway": "1h"}]},
            "access.jwt.0.leeway: Input should be less than or equal to 300",
            id="too-much-leeway",
        ),
        pytest.param(
            {**KNOWN, "token": "x"}, "access.token: Extra inputs are not permitted", id="a-typo"
        ),
    ],
)
def test_access_that_is_wrong(access: object, told: str) -> None:
    """Each problem with its key."""
    assert problem(access=access) == told


def test_an_issuer_on_this_machine_needs_no_tls() -> None:
    """Nobody is on the way."""
    issuer = {**GITHUB, "issuer": "http://127.0.0.1:1234/x"}
    chosen = Settings.model_validate({"access": {**KNOWN, "jwt": [issuer]}})
    assert chosen.access.jwt[0].issuer == "http://127.0.0.1:1234/x"
