"""The key of a question: equal for equal questions, and no secret can be read from it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

KEY_BYTES: Final = 32
"""Length of the key that goes into the hash."""


def question_key(
    hash_key: bytes,
    *,
    egress: str,
    namespace: str,
    provider: str,
    block: Mapping[str, object],
    environ: Mapping[str, str],
    secret: Mapping[str, str],
    connections: str,
) -> str:
    """A keyed hash over everything that decides what a provider is asked.

    Args:
        hash_key: shared by all replicas on one Redis; without it nobody can try out secrets.
        egress: the policy that it is asked under: what one forbids, no reading of another tells.
        namespace: of the run: tenants never share readings.
        provider: Argo's name.
        block: the provider block, resolved, credentials included.
        environ: what providers read of the environment.
        secret: what the provider got of a Secret, in the clear.
        connections: what it may use of named upstreams, in the clear.

    """
    parts = [egress, namespace, provider, block, dict(environ), dict(secret), connections]
    text = json.dumps(parts, sort_keys=True, default=dict)
    digest = hashlib.blake2b(text.encode(), key=hash_key[:64], digest_size=16)
    return digest.hexdigest()
