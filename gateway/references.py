"""What settings refer to instead of holding it: a file, or a key of a Secret."""

import asyncio
from pathlib import Path

from gateway.args import MissingSecret
from gateway.bounds import MAX_BYTES
from gateway.connection_settings import Reference
from gateway.credentials import SecretSource
from gateway.errors import ProviderInvalid
from gateway.regular_files import read_regular
from gateway.secrets import Secret
from gateway.template import SecretKeyRef


class References:
    """Reads it anew each time, so that a rotated secret counts at once."""

    def __init__(self, source: SecretSource, own_namespace: str) -> None:
        """Secrets are those of ``own_namespace``, the gateway's."""
        self._source = source
        self._own_namespace = own_namespace

    async def read(self, reference: Reference) -> Secret:
        """The content, verbatim.

        Raises:
            ProviderInvalid: there is none, or it is no text.
            ClusterUnavailable: it cannot be known now.

        """
        if reference.file is not None:
            return await asyncio.to_thread(_content, reference.file)
        return await self.secret(reference.secret or "")

    async def secret(self, place: str) -> Secret:
        """The value at ``NAME/KEY``. Raises as ``read`` does."""
        name, _, key = place.partition("/")
        ref = SecretKeyRef(name=name, key=key)
        found = (await self._source.read(self._own_namespace, [ref]))[ref]
        if isinstance(found, MissingSecret):
            raise ProviderInvalid(found.message)
        return found


def _content(file: Path) -> Secret:
    try:
        return Secret(read_regular(file, max_bytes=MAX_BYTES).decode())
    except UnicodeDecodeError:
        raise ProviderInvalid(f"{file} is not UTF-8") from None
    except OSError as error:
        raise ProviderInvalid(f"{file} cannot be read: {error.strerror or error}") from None
