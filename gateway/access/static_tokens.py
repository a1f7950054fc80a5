"""Tokens that the deployer handed out, known by their hashes alone.

The hashes are plain SHA-256: a token must be random and long, not a word that somebody chose.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field, ValidationError

from gateway.access.caller import Caller
from gateway.errors import Problem, TemplateInvalid
from gateway.names import is_label_value
from gateway.shapes import shape_problems
from gateway.wire import WireModel, refuse

MAX_TOKENS: Final = 1_000
_HASH: Final = re.compile("[0-9a-f]{64}")
_OF_NOTHING: Final = hashlib.sha256(b"").hexdigest()


def _check_hash(value: str) -> str:
    if not _HASH.fullmatch(value):
        # What stands here by mistake may be the token itself: it is not repeated.
        refuse("must be the SHA-256 of the token, as 64 lower case hexadecimal digits")
    if value == _OF_NOTHING:
        refuse("is the SHA-256 of an empty text, and of no token")
    return value


def _check_name(value: str) -> str:
    if not (value and is_label_value(value)):
        refuse("must be up to 63 letters, digits, '-', '_' and '.'")
    return value


class _Token(WireModel):
    name: Annotated[str, AfterValidator(_check_name)]
    sha256: Annotated[str, AfterValidator(_check_hash)]
    groups: Annotated[tuple[str, ...], Field(strict=False, max_length=100)] = ()


class _Tokens(WireModel):
    tokens: Annotated[tuple[_Token, ...], Field(strict=False, max_length=MAX_TOKENS)]


class TokenTable:
    """All tokens of one moment."""

    def __init__(self, callers: Mapping[bytes, Caller]) -> None:
        # Nobody who measures how long a search takes knows what is searched for.
        self._hash_key = secrets.token_bytes(32)
        self._entries = {self._place(digest): (digest, who) for digest, who in callers.items()}
        self._no_entry: tuple[bytes, Caller | None] = (secrets.token_bytes(32), None)

    def find(self, token: str) -> Caller | None:
        """Whose a token is; None if it is nobody's."""
        digest = hashlib.sha256(token.encode()).digest()
        known, caller = self._entries.get(self._place(digest), self._no_entry)
        return caller if hmac.compare_digest(known, digest) else None

    def _place(self, digest: bytes) -> bytes:
        return hashlib.blake2b(digest, key=self._hash_key, digest_size=32).digest()


class StaticTokens:
    """A kind of credential."""

    def __init__(self, table: Callable[[], TokenTable]) -> None:
        self._table = table

    async def caller_of(self, token: str) -> Caller | None:
        """Whose the token is; None if it is none of these."""
        return self._table().find(token)


def parse_tokens(content: object) -> TokenTable:
    """A document to the tokens. Raises TemplateInvalid with every problem and its path."""
    try:
        tokens = _Tokens.model_validate(content).tokens
    except ValidationError as error:
        raise TemplateInvalid(shape_problems(_Tokens, error)) from None
    callers: dict[bytes, Caller] = {}
    for index, token in enumerate(tokens):
        digest = bytes.fromhex(token.sha256)
        if digest in callers:
            raise TemplateInvalid((Problem(f"tokens[{index}].sha256", "stands here twice"),))
        callers[digest] = Caller(f"token:{token.name}", frozenset(token.groups))
    return TokenTable(callers)
