"""What a provider does that it never should is one metric's Error, and a line in the log."""

import logging
from collections.abc import Awaitable
from typing import Final, TypeVar

from gateway.errors import ProviderError, ProviderUnreadable
from gateway.places import kind_and_places

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
        _log.error("a provider failed as it never should", extra=kind_and_places(error))
        raise ProviderUnreadable(
            f"the provider failed unexpectedly ({type(error).__name__}); the gateway's log says"
            " where"
        ) from None
