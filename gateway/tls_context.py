"""A context of TLS out of files, and a new one when they change.

Whoever replaces the files, such as cert-manager, need not tell. Connections that are open keep what
they were made with.
"""

import logging
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

from gateway.settings import SettingsInvalid

LOOK_EVERY_S: Final = 1.0
"""How long files may have changed before a new connection is made with what they say now."""
_log: Final = logging.getLogger(__name__)


class ContextOfFiles:
    """What a new connection is encrypted with."""

    def __init__(
        self,
        files: Iterable[Path | None],
        make: Callable[[], ssl.SSLContext],
        *,
        of: str,
        now_s: Callable[[], float],
    ) -> None:
        """Read the files.

        Args:
            files: all that ``make`` reads; None for one that there is not.
            make: what they say. Raises SettingsInvalid if they cannot be used.
            of: whose files the log calls them.
            now_s: a clock that is never set.

        """
        self._files: Final = tuple(each for each in files if each is not None)
        self._make: Final = make
        self._of: Final = of
        self._now_s: Final = now_s
        self._state = self._look()
        self._context = make()
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
        return tuple(map(_state, self._files))

    def _renew(self) -> None:
        try:
            self._context = self._make()
        except SettingsInvalid as error:
            # Half of the files may have been replaced; the other half will be another change.
            _log.warning(
                "cannot use the changed files of %s", self._of, extra={"reason": str(error)}
            )
            return
        _log.info("uses the changed files of %s", self._of)


class KeyEncrypted(Exception):
    """The key of a certificate cannot be read without a password."""

    reason = "the key is encrypted"


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Have a context show a certificate.

    Raises:
        KeyEncrypted: its key is.
        ssl.SSLError: they are no certificate and its key, in PEM.

    """
    context.load_cert_chain(certificate, key, password=_no_password)


def _no_password() -> NoReturn:
    # OpenSSL would ask for it at the terminal.
    raise KeyEncrypted


def _state(file: Path) -> tuple[int, int, int]:
    """What differs once a file was changed or replaced."""
    try:
        status = file.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_ino, status.st_size)
