"""What aiohttp, TLS and the operating system report, in the words that Go has for it.

Sources: the texts of Go 1.26 net, net/http and crypto/tls, which users of argo-rollouts @ 9f8d111d8
know from their measurements.
"""

import os
import socket

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from gateway.gotext import quote

_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_EXPIRED_OR_NOT_YET_VALID = {9, 10}
_WRONG_NAME = {62, 64}
_NO_SUCH_HOST = {socket.EAI_NONAME, socket.EAI_NODATA}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
_SHOWN_CHARACTERS = 200


def is_unreadable(error: BaseException) -> bool:
    """Whether an answer came, but not one that HTTP knows."""
    return isinstance(error, aiohttp.ClientResponseError) or _is_badly_encoded(error)


def is_passing(error: BaseException) -> bool:
    """Whether it may well be over a moment later: no connection came about, or it broke."""
    is_of_connection = isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)
    return is_of_connection and not isinstance(error, aiohttp.ClientSSLError)


def cause_of(error: BaseException) -> str:
    """The bare cause, e.g. ``dial tcp 127.0.0.1:1: connect: connection refused``."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"dial tcp: lookup {error.host}: {_lookup(error.os_error)}"
        case aiohttp.ClientConnectorCertificateError():
            return f"tls: failed to verify certificate: x509: {_certificate(error)}"
        case aiohttp.ClientConnectorSSLError():
            return _tls(error.os_error)
        case aiohttp.ClientConnectorError():
            return f"dial tcp {error.host}:{error.port}: connect: {_system(error.os_error)}"
        case aiohttp.ConnectionTimeoutError():
            return "dial tcp: i/o timeout"
        case aiohttp.ServerDisconnectedError():
            return "EOF"
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return _broken_answer(error)
        case OSError():
            return f"read: {_system(error)}"
        case _:
            return _bounded(str(error) or type(error).__name__)


def _lookup(error: OSError) -> str:
    return "no such host" if error.errno in _NO_SUCH_HOST else "server misbehaving"


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    reason = error.certificate_error
    code = getattr(reason, "verify_code", 0)
    if code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if code in _EXPIRED_OR_NOT_YET_VALID:
        return "certificate has expired or is not yet valid"
    if code in _WRONG_NAME:
        return f"certificate is not valid for {quote(error.host)}"
    return _bounded(str(getattr(reason, "verify_message", "") or reason))


def _tls(error: OSError) -> str:
    reason = getattr(error, "reason", None) or str(error)
    if reason in _NOT_TLS:
        return "http: server gave HTTP response to HTTPS client"
    return f"remote error: tls: {_bounded(reason.replace('_', ' ').lower())}"


def _system(error: OSError) -> str:
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return _bounded(error.strerror or str(error) or "connection closed")


def _broken_answer(error: aiohttp.ClientError) -> str:
    if _is_badly_encoded(error):
        return "gzip: invalid header"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "unexpected EOF"
    text = " ".join(str(getattr(error, "message", error)).split())
    return f"net/http: HTTP/1.x transport connection broken: {_bounded(text)}"


def _is_badly_encoded(error: BaseException) -> bool:
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__
    return any(isinstance(one, ContentEncodingError) for one in links)


def _bounded(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
