"""A syntax tree back to text, so that people read of a part what they wrote of the whole.

The text of a tree has the same tree again. Spaces, quotes and needless parentheses are its own.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from gateway.expr import nodes
from gateway.expr.nodes import Node
from gateway.expr.parser import BINDING, SIGNS

_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_ESCAPES: Final = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_ESCAPED: Final = re.compile(r"[\x00-\x1f\"\\\x7f]")
_STATEMENTS: Final = (nodes.Let, nodes.Sequence)
_COMPOUND: Final = (nodes.Unary, nodes.Binary, nodes.Conditional, *_STATEMENTS)
_COMPARING: Final = BINDING["<"]
_TIGHTEST: Final = BINDING["*"]
"""What binds more strongly stands in parentheses: some of it goes from right to left."""


def text_of(node: Node) -> str:
    """The text of a tree as the parser makes it; its left spine is walked by recursion."""
    return _RULES[type(node)](node)


def _constant(node: nodes.Constant) -> str:
    value = node.value
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case bytes():
            return "b'" + "".join(f"\\x{byte:02x}" for byte in value) + "'"
    return repr(value)


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return _ESCAPES.get(char, f"\\u{ord(char):04x}")


def _unary(node: nodes.Unary) -> str:
    blank = " " if node.operator == "not" else ""
    return f"{node.operator}{blank}{_primary(node.operand)}"


def _binary(node: nodes.Binary) -> str:
    binding = BINDING[node.operator]
    left = _operand(node.left, binding, is_first=True)
    right = _operand(node.right, binding, is_first=False)
    blank = "" if node.operator == ".." else " "
    return f"{left}{blank}{node.operator}{blank}{right}"


def _operand(node: Node, binding: int, *, is_first: bool) -> str:
    if isinstance(node, nodes.Unary) and binding < SIGNS[node.operator]:
        return text_of(node)
    if not isinstance(node, nodes.Binary):
        return _primary(node)
    own = BINDING[node.operator]
    # Two comparisons side by side would be a chain.
    goes_on = is_first and own == binding and own != _COMPARING
    is_clear = own <= _TIGHTEST and (goes_on or own > binding)
    return text_of(node) if is_clear else f"({text_of(node)})"


def _primary(node: Node) -> str:
    return f"({text_of(node)})" if isinstance(node, _COMPOUND) else text_of(node)


def _base(node: Node) -> str:
    is_number = isinstance(node, nodes.Constant) and node.holds(int, float)
    return f"({text_of(node)})" if is_number else _primary(node)


def _expression(node: Node) -> str:
    return f"({text_of(node)})" if isinstance(node, _STATEMENTS) else text_of(node)


def _listed(found: Iterable[Node]) -> str:
    return ", ".join(map(_expression, found))


def _member(node: nodes.Member) -> str:
    key = node.key
    name = key.value if isinstance(key, nodes.Constant) else None
    if isinstance(name, str) and _NAME.fullmatch(name):
        return f"{_base(node.base)}{'?.' if node.optional else '.'}{name}"
    return f"{_base(node.base)}{'?.' if node.optional else ''}[{_expression(key)}]"


def _slice(node: nodes.Slice) -> str:
    start = "" if node.start is None else _expression(node.start)
    stop = "" if node.stop is None else _expression(node.stop)
    return f"{_base(node.base)}[{start}:{stop}]"


def _predicate(node: nodes.Predicate) -> str:
    body = text_of(node.body)
    needs_braces = isinstance(node.body, _STATEMENTS) or body.startswith("{")
    return f"{{{body}}}" if needs_braces else body


def _conditional(node: nodes.Conditional) -> str:
    parts = map(_primary, (node.condition, node.then, node.otherwise))
    return "{} ? {} : {}".format(*parts)


def _map(node: nodes.Map) -> str:
    pairs = zip(node.entries[::2], node.entries[1::2], strict=True)
    return "{" + ", ".join(f"{_key(key)}: {_expression(value)}" for key, value in pairs) + "}"


def _key(node: Node) -> str:
    is_text = isinstance(node, nodes.Constant) and node.holds(str)
    return text_of(node) if is_text else f"({text_of(node)})"


_RULES: Final[dict[type[Node], Callable[[Any], str]]] = {
    nodes.Constant: _constant,
    nodes.Identifier: lambda node: node.name,
    nodes.Pointer: lambda node: f"#{node.name}",
    nodes.Unary: _unary,
    nodes.Binary: _binary,
    nodes.Chain: lambda node: text_of(node.node),
    nodes.Member: _member,
    nodes.Slice: _slice,
    nodes.Call: lambda node: f"{text_of(node.callee)}({_listed(node.arguments)})",
    nodes.Builtin: lambda node: f"{node.name}({_listed(node.arguments)})",
    nodes.Predicate: _predicate,
    nodes.Conditional: _conditional,
    nodes.Let: lambda node: f"let {node.name} = {_expression(node.value)}; {text_of(node.body)}",
    nodes.Sequence: lambda node: "; ".join(map(_expression, node.nodes)),
    nodes.Array: lambda node: f"[{_listed(node.nodes)}]",
    nodes.Map: _map,
}
