"""The client's side of TLS for a named upstream: a context from files, anew when they change."""

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from gateway.bounds import MAX_BYTES
from gateway.connection_settings import Connection
from gateway.errors import Problem
from gateway.regular_files import read_regular
from gateway.settings import SettingsInvalid
from gateway.tls import LOOK_EVERY_S, file_state

_log: Final = logging.getLogger(__name__)


class ConnectionTls:
    """What a new connection to an upstream is encrypted with."""

    def __init__(self, settings: Connection, now_s: Callable[[], float] = time.monotonic) -> None:
        """Read the files. Raises SettingsInvalid if they cannot be used."""
        self._settings: Final = settings
        self._now_s: Final = now_s
        self._state = self._look()
        self._context = _context_of(settings)
        self._looked_at_s = now_s()

    def context(self) -> ssl.SSLContext:
        """The newest that the files can be used for."""
        if self._now_s() - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = self._now_s()
            state = self._look()
            if state != self._state:
                self._state = state
                self._renew()
        return self._context

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(file_state(file) for file in _files(self._settings))

    def _renew(self) -> None:
        try:
            self._context = _context_of(self._settings)
        except SettingsInvalid as error:
            # Half of the files may have been replaced; the other half will be another change.
            _log.warning(
                "cannot use the changed files of a connection", extra={"reason": str(error)}
            )


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
            context.load_cert_chain(
                settings.client_certificate, settings.client_key, password=_no_password
            )
        except (ssl.SSLError, _Encrypted):
            reason = (
                f"{settings.client_certificate} and {settings.client_key} are no certificate and"
                " its key in PEM, not encrypted"
            )
            raise SettingsInvalid((Problem(f"{where}.clientCertificate", reason),)) from None
    return context


class _Encrypted(Exception):
    """The key is."""


def _no_password() -> NoReturn:
    # OpenSSL would ask for it at the terminal.
    raise _Encrypted
