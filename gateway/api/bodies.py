"""Request bodies: read within a time, a size and a type, before anything looks at them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from gateway.api.heads import too_large
from gateway.api.origins import refuse_other_origins
from gateway.api.problems import RequestRefused
from gateway.config.settings import Limits
from gateway.documents import Document, Syntax, read_documents

SMALL_BYTES: Final = 16 * 1024
"""Larger bodies are read in a thread: they take long enough that other callers would notice."""
_SYNTAX_BY_CONTENT_TYPE: Final[Mapping[str, Syntax]] = {
    "application/json": Syntax.JSON,
    "application/yaml": Syntax.YAML,
    "application/x-yaml": Syntax.YAML,
    "text/yaml": Syntax.YAML,
    # What curl --data-binary says unless told otherwise; JSON is YAML, so this serves both.
    "application/x-www-form-urlencoded": Syntax.YAML,
    # What aiohttp makes of a missing Content-Type.
    "application/octet-stream": Syntax.YAML,
}


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brought."""

    data: bytes = field(repr=False)
    """As it came."""
    documents: tuple[Document, ...] = field(repr=False)


async def documents(request: web.Request, limits: Limits) -> tuple[Document, ...]:
    """The documents of a request's body. Raises what ``body`` raises."""
    return (await body(request, limits)).documents


async def body(request: web.Request, limits: Limits) -> Body:
    """A request's body.

    Raises:
        RequestRefused: 403, 408, 413 or 415.
        RequestInvalid: the body is not what its type says.

    """
    refuse_other_origins(request)
    syntax = _SYNTAX_BY_CONTENT_TYPE.get(request.content_type)
    if syntax is None:
        raise RequestRefused(
            415,
            f"{request.content_type} is not read here; send application/yaml or application/json",
        )
    data = await read(request, limits)
    if len(data) <= SMALL_BYTES:
        return Body(data, read_documents(data, name="body", syntax=syntax))
    return Body(data, await asyncio.to_thread(read_documents, data, name="body", syntax=syntax))


async def read(request: web.Request, limits: Limits) -> bytes:
    """The bytes of a request's body. Raises RequestRefused: 408 or 413."""
    async with _in_time(limits):
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise too_large(limits.request_bytes) from None


async def read_small(request: web.Request, limits: Limits, max_bytes: int) -> bytes:
    """The bytes of a body that nobody needs a large one of. Raises RequestRefused: 408 or 413."""
    data = b""
    async with _in_time(limits):
        async for chunk in request.content.iter_any():
            data += chunk
            if len(data) > max_bytes:
                raise RequestRefused(413, f"the body is larger than {max_bytes} bytes")
    return data


@asynccontextmanager
async def _in_time(limits: Limits) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limits.request_read_s):
            yield
    except TimeoutError:
        raise RequestRefused(
            408, f"the body did not arrive within {limits.request_read_s:g}s"
        ) from None
