"""The client's side of TLS for a named upstream: what its files say."""

import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gateway.bounds import MAX_BYTES
from gateway.connection_settings import Connection
from gateway.errors import Problem
from gateway.regular_files import read_regular
from gateway.settings import SettingsInvalid
from gateway.tls_context import ContextOfFiles, KeyEncrypted, load_certificate


class ConnectionTls(ContextOfFiles):
    """What a new connection to an upstream is encrypted with."""

    def __init__(self, settings: Connection, now_s: Callable[[], float] = time.monotonic) -> None:
        """Read the files. Raises SettingsInvalid if they cannot be used."""
        make = partial(_context_of, settings)
        super().__init__(_files(settings), make, of="a connection", now_s=now_s)


def _files(settings: Connection) -> tuple[Path, ...]:
    files = (settings.ca_bundle, settings.client_certificate, settings.client_key)
    return tuple(each for each in files if each is not None)


def _context_of(settings: Connection) -> ssl.SSLContext:
    where = f"connections.{settings.name}"
    for file in _files(settings):
        try:
            read_regular(file, max_bytes=MAX_BYTES)
        except OSError as error:
            reason = f"{file} cannot be read: {error.strerror or error}"
            raise SettingsInvalid((Problem(where, reason),)) from None
    try:
        context = ssl.create_default_context(cafile=settings.ca_bundle)
    except ssl.SSLError:
        reason = f"{settings.ca_bundle} has no certificates in PEM"
        raise SettingsInvalid((Problem(f"{where}.caBundle", reason),)) from None
    context.set_alpn_protocols(["http/1.1"])
    if settings.client_certificate is not None:
        try:
            load_certificate(context, settings.client_certificate, settings.client_key)
        except (ssl.SSLError, KeyEncrypted):
            reason = (
                f"{settings.client_certificate} and {settings.client_key} are no certificate and"
                " its key in PEM, not encrypted"
            )
            raise SettingsInvalid((Problem(f"{where}.clientCertificate", reason),)) from None
    return context
