"""Secrets from files ``NAMESPACE/NAME/KEY``, as Kubernetes mounts them."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.bounds import MAX_BYTES
from gateway.gotext import quote
from gateway.names import is_namespace, is_object_name, is_secret_key
from gateway.regular_files import NotRegular, read_regular
from gateway.secrets import Secret
from gateway.template import SecretKeyRef


class SecretsFolder:
    """Reads secrets anew each time, so that a rotated one counts at once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder: Final = folder
        """None if there are no secrets at all."""

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """The content of each key, verbatim, or Argo's words for why there is none."""
        if not refs:
            return {}
        return await asyncio.to_thread(self._read_all, namespace, refs)

    def _read_all(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> dict[SecretKeyRef, Secret | MissingSecret]:
        return {ref: self._read(namespace, ref) for ref in refs}

    def _read(self, namespace: str, ref: SecretKeyRef) -> Secret | MissingSecret:
        not_found = MissingSecret(f"secrets {quote(ref.name)} not found")
        no_key = MissingKey(f"key '{ref.key}' does not exist in secret '{ref.name}'")
        # Only names that Kubernetes allows become part of a path: none of them leads elsewhere.
        if self._folder is None or not (is_namespace(namespace) and is_object_name(ref.name)):
            return not_found
        folder = self._folder / namespace / ref.name
        # A token may be named after a server with its port: no key of a Secret, but of a file.
        if not is_secret_key(ref.key.replace(":", "-")):
            return no_key if folder.is_dir() else not_found
        try:
            content = read_regular(folder / ref.key, max_bytes=MAX_BYTES)
        except (FileNotFoundError, NotADirectoryError, NotRegular):
            return no_key if folder.is_dir() else not_found
        except OSError as error:
            reason = error.strerror or str(error)
            return UnusableSecret(f"key '{ref.key}' in secret '{ref.name}': {reason}")
        try:
            return Secret(content.decode())
        except UnicodeDecodeError:
            return UnusableSecret(f"key '{ref.key}' in secret '{ref.name}' is not UTF-8")
