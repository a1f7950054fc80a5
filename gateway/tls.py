"""The server's side of TLS: what its files say."""

import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from gateway.bounds import MAX_BYTES
from gateway.errors import Problem
from gateway.listening_settings import Tls
from gateway.regular_files import read_regular
from gateway.settings import SettingsInvalid
from gateway.tls_context import ContextOfFiles, KeyEncrypted, load_certificate


class ServerTls(ContextOfFiles):
    """What a new connection of a caller is encrypted with."""

    def __init__(self, settings: Tls, now_s: Callable[[], float] = time.monotonic) -> None:
        """Read the files. Raises SettingsInvalid if they cannot be used."""
        files = (settings.certificate, settings.key, settings.client_ca)
        super().__init__(files, partial(context_of, settings), of="TLS", now_s=now_s)


def context_of(settings: Tls) -> ssl.SSLContext:
    """What the files say. Raises SettingsInvalid with the key and the file that cannot be used."""
    certificate = _readable("certificate", settings.certificate)
    key = _readable("key", settings.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Each would cost a handshake that nobody counts.
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        load_certificate(context, certificate, key)
    except (ssl.SSLError, KeyEncrypted) as error:
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


def _readable(name: str, file: Path | None) -> Path:
    assert file is not None  # noqa: S101 - the settings have been checked
    try:
        read_regular(file, max_bytes=MAX_BYTES)
    except OSError as error:
        raise SettingsInvalid(
            (Problem(f"tls.{name}", f"{file} cannot be read: {error.strerror or error}"),)
        ) from None
    return file


def _refuse(name: str, what: str, error: ssl.SSLError | KeyEncrypted) -> NoReturn:
    reason = (error.reason or "no PEM").lower().replace("_", " ")
    raise SettingsInvalid((Problem(f"tls.{name}", f"{what} in PEM: {reason}"),)) from None
