"""A certificate of our own for local servers, and clients that trust it."""

import ssl
from pathlib import Path
from typing import Final

import pytest
from aiohttp import connector

CERTIFICATE: Final = Path(__file__).parent / "data" / "self_signed_localhost.pem"


def server_tls() -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients accept it, as SSL_CERT_FILE does for a process that is started with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(CERTIFICATE)
    monkeypatch.setattr(connector, "_SSL_CONTEXT_VERIFIED", context)
