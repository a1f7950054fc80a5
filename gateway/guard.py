"""What a provider does that it never should is one metric's Error, and a line in the log."""

import logging
import traceback
from collections.abc import Awaitable
from typing import Final, TypeVar

from gateway.errors import ProviderError, ProviderUnreadable

T = TypeVar("T")
_log: Final = logging.getLogger(__name__)


async def guarded(work: Awaitable[T]) -> T:
    """What comes of a provider's work.

    Raises:
        ProviderError: and nothing else, whatever the work raised.

    """
    try:
        return await work
    except ProviderError:
        raise
    except Exception as error:  # noqa: BLE001 - one metric fails, not the whole verdict
        # Its own text may hold a secret: the log gets the kind and the places.
        places = "".join(traceback.format_tb(error.__traceback__))
        keys = {"kind": type(error).__name__, "places": places}
        _log.error("a provider failed as it never should", extra=keys)
        raise ProviderUnreadable(
            f"the provider failed unexpectedly ({type(error).__name__}); the gateway's log says"
            " where"
        ) from None
