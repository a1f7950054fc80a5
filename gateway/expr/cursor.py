"""A parser's place in the text, and the limits of what it may build."""

from typing import TypeVar

from gateway.expr import nodes
from gateway.expr.faults import Fault
from gateway.expr.lexer import Kind, Token, tokens

MAX_NODES = 10_000
"""Source: expr-lang v1.17.8, conf/config.go:17-18."""
MAX_DEPTH = 160
"""Unlike the reference, whose stack grows as it must: ours is never to overflow."""

_N = TypeVar("_N", bound=nodes.Node)


class Cursor:
    """Reads one token after the other, and makes nodes within the limits."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._ahead: Token | None = None
        self._count = 0
        self._nesting = 0
        self.token = next(self._tokens)
        """The token to be looked at next."""

    def next(self) -> Token:
        """Take the current token."""
        taken = self.token
        if self._ahead is not None:
            self.token, self._ahead = self._ahead, None
            return taken
        following = next(self._tokens, None)
        if following is None:
            raise Fault("unexpected end of expression", taken.at)
        self.token = following
        return taken

    def give_back(self, token: Token) -> None:
        """Undo the taking of the token before the current one."""
        self._ahead, self.token = self.token, token

    def unexpected(self) -> Fault:
        """The fault of the current token's being where it is."""
        return Fault(f"unexpected token {self.token}", self.token.at)

    def expect(self, kind: Kind, value: str = "") -> Token:
        """Take the current token, which must be of this kind and, if given, this value."""
        if self.token.kind is not kind or (value and self.token.value != value):
            raise self.unexpected()
        return self.next()

    def open(self, value: str) -> Token:
        """Take an opening bracket."""
        return self.expect(Kind.BRACKET, value)

    def close(self, value: str) -> Token:
        """Take a closing bracket."""
        return self.expect(Kind.BRACKET, value)

    def enter(self) -> None:
        """Go one level deeper. Raises Fault when that is too deep."""
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise _too_deep(self.token.at)

    def leave(self) -> None:
        """Come back from a deeper level."""
        self._nesting -= 1

    def count(self, at: int) -> None:
        """Count one node of the reference's tree. Raises Fault when there are too many."""
        self._count += 1
        if self._count > MAX_NODES:
            raise Fault("compilation failed: expression exceeds maximum allowed nodes", at)

    def made(self, node: _N, at: int) -> _N:
        """Count a new node, and place it at an index of the text."""
        self.count(at)
        return placed(node, at) if node.parts else leaf(node, at)


def leaf(node: _N, at: int) -> _N:
    """Place a new node without parts at an index of the text."""
    node.at = at
    return node


def placed(node: _N, at: int) -> _N:
    """Place a new node at an index of the text. Raises Fault when it nests too deeply."""
    node.at = at
    below = nodes.children(node)
    node.size = 1 + sum(child.size for child in below)
    if node.size > MAX_NODES:
        raise Fault("compilation failed: expression exceeds maximum allowed nodes", at)
    if isinstance(node, nodes.Binary) and node.operator != "??":
        # Long sums and long alternatives are walked along their left spine, not into it.
        node.depth = max(node.left.depth, node.right.depth + 1)
    else:
        node.depth = 1 + max((child.depth for child in below), default=0)
    if node.depth > MAX_DEPTH:
        raise _too_deep(at)
    return node


def _too_deep(at: int) -> Fault:
    return Fault(f"expression nests more than {MAX_DEPTH} levels deep: split it up", at)
