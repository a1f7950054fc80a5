"""JSON of an API server, which holds what anybody has put into it: too deep for a parser, say."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final

import orjson

DEEPEST: Final = 200
"""Levels that are kept of what is nested too deeply for the parser, which takes a thousand. More
than any reader of ours takes, so that it is still known to be too deep."""
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_OPENING: Final = frozenset(b"[{")
_CLOSING: Final = frozenset(b"]}")


def decoded(content: bytes) -> Any:  # noqa: ANN401 - JSON has any shape
    """The value of a JSON text.

    One object that is nested too deeply must not hide all others of a list: what is too deep in it
    is left out, and the rest stays.

    Raises:
        JSONDecodeError: it is no JSON.

    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return orjson.loads(shallow(content))


def shallow(content: bytes) -> bytes:
    """A JSON text whose lists and objects below the deepest level are empty."""
    kept: list[bytes] = []
    depth, begin = 0, 0
    for token in _TOKEN.finditer(content):
        first = content[token.start()]
        if first in _OPENING:
            depth += 1
            if depth == DEEPEST:
                kept.append(content[begin : token.end()])
        elif first in _CLOSING:
            if depth == DEEPEST:
                begin = token.start()
            depth -= 1
    kept.append(content[begin:])
    return b"".join(kept)


async def lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream; only a line feed ends one, for texts may hold all other separators."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest
