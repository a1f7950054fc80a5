"""What may go wrong with a call to an API server, as one of two errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx2
import orjson
from lightkube.core.exceptions import ConfigError
from msgspec import MsgspecError

from gateway.config.kubernetes import EVERY_NAMESPACE
from gateway.config.settings import SettingsInvalid
from gateway.errors import ClusterRefused, ClusterUnavailable
from gateway.kube.resources import Kind, shown
from gateway.names import is_namespace

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
CONFLICT: Final = 409
GONE: Final = 410
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
"""What may be over soon: the API server is overloaded, or starts."""


@contextmanager
def told(verb: str, kind: Kind, namespace: str) -> Iterator[None]:
    """Turn whatever a call may raise into one of two errors."""
    if namespace not in {"", EVERY_NAMESPACE} and not is_namespace(namespace):
        # It is about to become a part of the path.
        raise ClusterRefused(f"{namespace[:260]!r} is no name of a namespace", status=400)
    try:
        yield
    except SettingsInvalid as error:
        # They could be read at the start: whoever asks now has done nothing wrong.
        raise ClusterUnavailable(str(error)) from error
    except httpx2.HTTPStatusError as error:
        raise _refused(error, verb, kind, namespace) from error
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise ClusterUnavailable("the API server did not answer in time") from error
    except ConfigError as error:
        # Its text may hold what a credential plugin has printed.
        raise ClusterUnavailable("the credentials for the API server cannot be had") from error
    except (httpx2.HTTPError, OSError) as error:
        why = str(error) or type(error).__name__
        raise ClusterUnavailable(f"the API server cannot be reached: {why}") from error
    except (MsgspecError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ClusterUnavailable("what answered does not speak as an API server does") from error


def _refused(
    error: httpx2.HTTPStatusError, verb: str, kind: Kind, namespace: str
) -> ClusterRefused | ClusterUnavailable:
    status = error.response.status_code
    text = _message(error.response) or f"the API server answered with status {status}"
    if status in _PASSING:
        return ClusterUnavailable(f"the API server cannot answer now: {text}")
    if status == FORBIDDEN:
        where = {"": "in the cluster", EVERY_NAMESPACE: "in all namespaces"}.get(
            namespace, f"in namespace '{namespace}'"
        )
        text = f"the gateway has no right to {verb} {shown(kind)} {where}: {text}"
    return ClusterRefused(text, status=status)


def _message(response: httpx2.Response) -> str:
    try:
        content = response.json()
    except ValueError:
        return ""
    return str(content.get("message", "")) if isinstance(content, dict) else ""
