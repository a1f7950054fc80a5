"""The server's side of TLS: a context from files, and a new one when they change.

Whoever replaces the files, such as cert-manager, need not tell. Connections that are open keep what
they were made with.
"""

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from gateway.bounds import MAX_BYTES
from gateway.errors import Problem
from gateway.listening_settings import Tls
from gateway.regular_files import read_regular
from gateway.settings import SettingsInvalid

LOOK_EVERY_S: Final = 1.0
"""How long files may have changed before a new connection is made with what they say now."""
_State = tuple[tuple[int, int, int], ...]
_log: Final = logging.getLogger(__name__)


class ServerTls:
    """What a new connection is encrypted with."""

    def __init__(self, settings: Tls, now_s: Callable[[], float] = time.monotonic) -> None:
        """Read the files. Raises SettingsInvalid if they cannot be used."""
        self._settings: Final = settings
        self._now_s: Final = now_s
        self._state = _state(settings)
        self._context = context_of(settings)
        self._looked_at_s = now_s()

    def context(self) -> ssl.SSLContext:
        """The newest that the files can be used for."""
        if self._now_s() - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = self._now_s()
            state = _state(self._settings)
            if state != self._state:
                self._renew(state)
        return self._context

    def _renew(self, state: _State) -> None:
        self._state = state
        try:
            renewed = context_of(self._settings)
        except SettingsInvalid as error:
            # Half of the files may have been replaced; the other half will be another change.
            _log.warning("cannot use the changed files of TLS", extra={"reason": str(error)})
            return
        self._context = renewed
        _log.info("uses the changed files of TLS")


def context_of(settings: Tls) -> ssl.SSLContext:
    """What the files say. Raises SettingsInvalid with the key and the file that cannot be used."""
    certificate, key = (
        _readable("certificate", settings.certificate),
        _readable("key", settings.key),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Each would cost a handshake that nobody counts.
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, _Encrypted) as error:
        _refuse("certificate", f"{certificate} and {key} are no certificate and its key", error)
    if settings.client_ca is not None:
        authorities = _readable("clientCa", settings.client_ca)
        try:
            context.load_verify_locations(authorities)
        except ssl.SSLError as error:
            _refuse("clientCa", f"{authorities} has no certificates", error)
        is_required = settings.client_certificates == "required"
        context.verify_mode = ssl.CERT_REQUIRED if is_required else ssl.CERT_OPTIONAL
    return context


class _Encrypted(Exception):
    reason = "the key is encrypted"


def _no_password() -> NoReturn:
    # OpenSSL would ask for it at the terminal.
    raise _Encrypted


def _readable(name: str, file: Path | None) -> Path:
    assert file is not None  # noqa: S101 - the settings have been checked
    try:
        read_regular(file, max_bytes=MAX_BYTES)
    except OSError as error:
        raise SettingsInvalid(
            (Problem(f"tls.{name}", f"{file} cannot be read: {error.strerror or error}"),)
        ) from None
    return file


def _refuse(name: str, what: str, error: ssl.SSLError | _Encrypted) -> NoReturn:
    reason = (error.reason or "no PEM").lower().replace("_", " ")
    raise SettingsInvalid((Problem(f"tls.{name}", f"{what} in PEM: {reason}"),)) from None


def _state(settings: Tls) -> _State:
    files = (settings.certificate, settings.key, settings.client_ca)
    return tuple(file_state(each) for each in files if each is not None)


def file_state(file: Path) -> tuple[int, int, int]:
    """What differs once a file was changed or replaced."""
    try:
        status = file.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_ino, status.st_size)
