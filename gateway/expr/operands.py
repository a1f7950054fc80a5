"""The parts between operators: literals, names, calls, members, slices, predicates."""

from abc import ABC, abstractmethod

from gateway.expr import nodes
from gateway.expr.cursor import Cursor
from gateway.expr.faults import Fault
from gateway.expr.lexer import Kind, Token, is_name
from gateway.expr.nodes import Node
from gateway.expr.signatures import BUILTIN_NAMES, PREDICATES
from gateway.expr.strconv import parse_float, parse_int, parse_prefixed_int

_SHORT = 18
"""Digits that fit into 64 bits for sure."""
_WORDS = {"true": True, "false": False, "nil": None}
_MAP_KEY = (
    "a map key must be a quoted string, a number, a identifier, or an expression enclosed in "
    "parentheses (unexpected token {})"
)
_BASES = {"0b": (2, "binary"), "0o": (8, "octal"), "0x": (16, "hex")}


class Operands(Cursor, ABC):
    """Parses operands; what is inside their brackets is up to the whole parser."""

    def __init__(self, text: str, declared: frozenset[str]) -> None:
        super().__init__(text)
        self._declared = declared
        self._open_predicates = 0

    @abstractmethod
    def expression(self, precedence: int) -> Node:
        """An expression whose operators bind at least as strongly as ``precedence``."""

    @abstractmethod
    def sequence(self) -> Node:
        """``a; b``, or a single expression."""

    def operand(self) -> Node:
        """An operand that starts with no unary operator."""
        token = self.token
        if token.kind is Kind.NUMBER:
            self.next()
            return self.made(nodes.Constant(_number(token)), token.at)
        if token.kind is Kind.IDENTIFIER:
            self.next()
            if token.value in _WORDS:
                return self.made(nodes.Constant(_WORDS[token.value]), token.at)
            return self.postfix(self._name(token))
        if token.is_bracket("("):
            self.next()
            inner = self.sequence()
            self.close(")")
            return self.postfix(inner)
        if self._open_predicates and token.is_operator("#", "."):
            return self.postfix(self._pointer())
        if token.is_operator("::"):
            self.next()
            return self.postfix(self.call(self.expect(Kind.IDENTIFIER), [], frozenset()))
        return self.postfix(self._literal())

    def _name(self, token: Token) -> Node:
        if self.token.is_bracket("("):
            return self.call(token, [], self._declared)
        return self.made(nodes.Identifier(token.value), token.at)

    def _pointer(self) -> Node:
        token, name = self.token, ""
        if token.value == "#":
            self.next()
            if self.token.kind is Kind.IDENTIFIER:
                name = self.next().value
        return self.made(nodes.Pointer(name), token.at)

    def _literal(self) -> Node:
        token = self.token
        match token.kind:
            case Kind.STRING:
                self.next()
                return self.made(nodes.Constant(token.value), token.at)
            case Kind.BYTES:
                self.next()
                return self.made(nodes.Constant(token.content), token.at)
            case _ if token.is_bracket("["):
                return self._array()
            case _ if token.is_bracket("{"):
                return self._map()
        raise self.unexpected()

    def call(self, name: Token, arguments: list[Node], declared: frozenset[str]) -> Node:
        """A call of a name; a pipe has given the first arguments already."""
        if name.value in PREDICATES and name.value not in declared:
            node: Node = nodes.Builtin(name.value, self._predicate_arguments(name, arguments))
        elif name.value in BUILTIN_NAMES and name.value not in declared:
            node = nodes.Builtin(name.value, self._arguments(arguments))
        else:
            callee = self.made(nodes.Identifier(name.value), name.at)
            node = nodes.Call(callee, self._arguments(arguments))
        return self.made(node, name.at)

    def _predicate_arguments(self, name: Token, given: list[Node]) -> list[Node]:
        self.open("(")
        shape = PREDICATES[name.value]
        parsers = [self._first_argument, self._predicate, self._first_argument]
        arguments = list(given)
        missing = range(len(given), shape.most)
        for position in missing:
            if self.token.is_bracket(")"):
                if position >= shape.least:
                    break
                raise Fault(f"expected at least {len(missing)} arguments", self.token.at)
            if position > len(given):
                self.expect(Kind.OPERATOR, ",")
            arguments.append(parsers[position]())
        if self.token.is_operator(","):
            self.next()
        self.close(")")
        return arguments

    def _first_argument(self) -> Node:
        return self.expression(0)

    def _predicate(self) -> Node:
        start = self.token
        self._open_predicates += 1
        if start.is_bracket("{"):
            self.next()
            body = self.sequence()
        else:
            body = self.expression(0)
            if self.token.is_operator(";"):
                raise Fault("wrap predicate with brackets { and }", self.token.at)
        self._open_predicates -= 1
        if start.is_bracket("{"):
            self.close("}")
        return self.made(nodes.Predicate(body), start.at)

    def _arguments(self, given: list[Node]) -> list[Node]:
        self.open("(")
        return [*given, *self._listed(")")]

    def _array(self) -> Node:
        start = self.open("[")
        return self.made(nodes.Array(self._listed("]")), start.at)

    def _listed(self, end: str) -> list[Node]:
        found: list[Node] = []
        while not self.token.is_bracket(end):
            if found:
                self.expect(Kind.OPERATOR, ",")
                if self.token.is_bracket(end):
                    break
            found.append(self.expression(0))
        self.close(end)
        return found

    def _map(self) -> Node:
        start = self.open("{")
        entries: list[Node] = []
        while not self.token.is_bracket("}"):
            if entries:
                self.expect(Kind.OPERATOR, ",")
                if self.token.is_bracket("}"):
                    break
                if self.token.is_operator(","):
                    raise self.unexpected()
            key = self._map_key()
            self.expect(Kind.OPERATOR, ":")
            entries += [key, self.expression(0)]
            self.count(start.at)
        self.close("}")
        return self.made(nodes.Map(entries), start.at)

    def _map_key(self) -> Node:
        if self.token.kind in {Kind.NUMBER, Kind.STRING, Kind.IDENTIFIER}:
            token = self.next()
            return self.made(nodes.Constant(token.value), token.at)
        if self.token.is_bracket("("):
            return self.expression(0)
        raise Fault(_MAP_KEY.format(self.token), self.token.at)

    def postfix(self, node: Node) -> Node:
        """An operand with the members, indexes and slices that follow it."""
        while True:
            if self.token.is_operator(".", "?."):
                node = self._member(node)
            elif self.token.is_bracket("["):
                node = self._index(node, self.next())
            else:
                return node

    def _member(self, node: Node) -> Node:
        optional = self.next().value == "?."
        name = self.token
        if optional and name.is_bracket("["):
            at = self.next()
            indexed = self._index(node, at)
            if isinstance(indexed, nodes.Member):
                indexed.optional = True
                return self.made(nodes.Chain(indexed), at.at)
            return indexed
        self.next()
        if name.kind is not Kind.IDENTIFIER and not (
            name.kind is Kind.OPERATOR and is_name(name.value)
        ):
            raise Fault("expected name", name.at)
        key = self.made(nodes.Constant(name.value), name.at)
        is_chain = isinstance(node, nodes.Chain)
        base = node.node if isinstance(node, nodes.Chain) else node
        found: Node = self.made(nodes.Member(base, key, optional), name.at)
        if self.token.is_bracket("(") and isinstance(found, nodes.Member):
            found.is_called = True
            found = self.made(nodes.Call(found, self._arguments([])), name.at)
        return self.made(nodes.Chain(found), name.at) if is_chain or optional else found

    def _index(self, base: Node, bracket: Token) -> Node:
        start = None if self.token.is_operator(":") else self.expression(0)
        node: Node
        if start is not None and not self.token.is_operator(":"):
            node = self.made(nodes.Member(base, start), bracket.at)
        else:
            self.next()
            stop = None if self.token.is_bracket("]") else self.expression(0)
            node = self.made(nodes.Slice(base, start, stop), bracket.at)
        self.close("]")
        return node


def _number(token: Token) -> int | float:
    if len(token.value) <= _SHORT and token.value.isdecimal():
        return int(token.value)
    text = token.value.replace("_", "").lower()
    base, word = _BASES.get(text[:2], (10, "integer"))
    is_float = base != 16 and ("." in text or "e" in text)  # noqa: PLR2004 - 0xE is an integer
    kind = "float" if is_float else word
    try:
        if is_float:
            return parse_float(token.value.replace("_", ""))
        if base == 10:  # noqa: PLR2004 - 017 is seventeen
            return parse_int(text)
        return parse_prefixed_int(token.value.replace("_", ""), base)
    except Fault as fault:
        raise Fault(f"invalid {kind} literal: {fault}", token.at) from None
