"""Credentials that no plan knows, because they are made while one asks: what servers echo of them.

A secret that a plan knows is masked in all that leaves. An access token, or that of a session of
Amazon's, is masked here, where it is sent: what is read, kept and shared never has it. Who records
the exchange itself is told of it.
"""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from gateway.errors import ProviderError
from gateway.made_credentials import sent_along
from gateway.provider import HttpResponse, NoAnswer
from gateway.secrets import Redaction


async def without_echo(sent: Awaitable[HttpResponse], credential: Redaction) -> HttpResponse:
    """The answer to a request that carried a credential, without it. Raises ProviderError."""
    with masked_errors(credential):
        response = await sent
    body, reason = credential.octets(response.body), credential.text(response.reason)
    if body is response.body and reason == response.reason:
        return response
    return replace(response, body=body, reason=reason)


@contextmanager
def masked_errors(credential: Redaction) -> Iterator[None]:
    """Errors of requests that carry a credential, without it. Raises ProviderError."""
    sent_along(credential)
    try:
        yield
    except NoAnswer as error:
        told = credential.text(str(error)), credential.text(error.cause)
        raise NoAnswer(told[0], cause=told[1], stage=error.stage) from None
    except ProviderError as error:
        raise type(error)(credential.text(str(error)), metadata=error.metadata) from None
