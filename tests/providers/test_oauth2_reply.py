"""What a token server's reply is worth."""

import pytest

from gateway.errors import ProviderError
from gateway.provider import AccessToken, HttpResponse
from providers._oauth2 import read_token


def reply(body: str, content_type: str = "application/json", status: int = 200) -> HttpResponse:
    """A token server's reply."""
    return HttpResponse(status, "", {"Content-Type": content_type}, body.encode())


FORM = "Application/X-WWW-Form-Urlencoded; charset=utf-8"


@pytest.mark.parametrize(
    ("response", "token"),
    [
        pytest.param(
            reply('{"access_token":"t","token_type":"bearer","expires_in":60}'),
            AccessToken("Bearer t", 60.0),
            id="json",
        ),
        pytest.param(
            reply('{"access_token":"t","token_type":"MAC","expires_in":"60"}', ""),
            AccessToken("MAC t", 60.0),
            id="json-without-a-type-and-seconds-in-quotes",
        ),
        pytest.param(
            reply('{"access_token":"t","token_type":"Odd","expires_in":null}'),
            AccessToken("Odd t", None),
            id="an-unknown-type-is-kept",
        ),
        pytest.param(
            reply('{"access_token":"t","expires_in":0}'),
            AccessToken("Bearer t", None),
            id="no-type-is-bearer-and-zero-is-unknown",
        ),
        pytest.param(
            reply('{"access_token":"t","expires_in":99999999999}'),
            AccessToken("Bearer t", 2.0**31 - 1),
            id="a-very-long-life",
        ),
        pytest.param(
            reply('{"access_token":"t","expires_in":"soon"}'),
            AccessToken("Bearer t", None),
            id="a-life-in-words",
        ),
        pytest.param(
            reply("access_token=a%20b&expires_in=60&access_token=c&token_type=basic", FORM),
            AccessToken("Basic a b", 60.0),
            id="a-form-whose-first-value-counts",
        ),
        pytest.param(
            reply("access_token=t", "text/plain"), AccessToken("Bearer t", None), id="plain-text"
        ),
    ],
)
def test_a_token_is_read(response: HttpResponse, token: AccessToken) -> None:
    """The header to send, and how long it is good for."""
    assert read_token(response) == token


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        pytest.param(
            reply(
                '{"error":"invalid_client","error_description":"bad","error_uri":"u"}', status=400
            ),
            'ProviderRejected: oauth2: "invalid_client" "bad" "u"',
            id="an-error-with-all-its-parts",
        ),
        pytest.param(
            reply('{"error":"invalid_scope","access_token":"t"}'),
            'ProviderRejected: oauth2: "invalid_scope"',
            id="an-error-with-status-200",
        ),
        pytest.param(
            reply("error=slow_down&error_description=a+b", FORM, 429),
            'ProviderRejected: oauth2: "slow_down" "a b"',
            id="an-error-in-a-form",
        ),
        pytest.param(
            reply('{"access_token":"t"}', "text/plain"),
            "ProviderUnreadable: oauth2: server response missing access_token",
            id="json-that-calls-itself-plain-text",
        ),
        pytest.param(
            reply("[]"),
            "ProviderUnreadable: oauth2: cannot parse json: the reply is no object",
            id="a-list",
        ),
    ],
)
def test_a_reply_is_refused(response: HttpResponse, failure: str) -> None:
    """Texts are golang.org/x/oauth2's."""
    with pytest.raises(ProviderError) as caught:
        read_token(response)
    assert f"{type(caught.value).__name__}: {caught.value}" == failure
