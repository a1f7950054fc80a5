"""What nobody waits for and fails all the same: a line in the log, without its text."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from gateway.places import kind_and_places

_log: Final = logging.getLogger(__name__)


def tell() -> None:
    """Have the running loop tell of it so: its own way prints texts, and one may be secret."""
    asyncio.get_running_loop().set_exception_handler(_told)


def _told(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        # The loop's own words may quote the arguments of a call.
        keys = kind_and_places(error)
    else:
        keys = {"kind": str(context.get("message"))}
    _log.error("something failed that nobody waits for", extra=keys)
