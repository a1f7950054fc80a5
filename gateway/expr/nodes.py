"""The syntax tree of an expression. Source of its shape: expr-lang v1.17.8, ast/node.go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from gateway.expr.gotypes import UNKNOWN, Nature


@dataclass(slots=True, kw_only=True)
class Node:
    """A piece of an expression."""

    parts: ClassVar[tuple[str, ...]] = ()
    """The fields that hold nodes, or lists of nodes, in the order of evaluation."""
    at: int = field(default=0, compare=False, repr=False)
    """Index of the character that errors about it point at."""
    nature: Nature = field(default=UNKNOWN, compare=False, repr=False)
    """Its static type, once the checker has been there."""
    depth: int = field(default=1, compare=False, repr=False)
    """How deep it nests; operands on the left of an operator do not count, see the parser."""
    size: int = field(default=1, compare=False, repr=False)
    """How many nodes it has, those that a chain of comparisons shares counted twice."""


@dataclass(slots=True)
class Constant(Node):
    """A value known from the text: nil, a truth value, a string, a number, bytes, a folded list."""

    value: object

    def holds(self, *kinds: type) -> bool:
        """Whether the value is of one of these Python types."""
        return type(self.value) in kinds


@dataclass(slots=True)
class ConstantSet(Node):
    """The strings or integers on the right of ``in``, known from the text."""

    members: frozenset[object]
    member_type: str


@dataclass(slots=True)
class Identifier(Node):
    """A name."""

    name: str


@dataclass(slots=True)
class Pointer(Node):
    """``#`` (empty name), ``#index`` or ``#acc`` of the innermost predicate."""

    name: str


@dataclass(slots=True)
class Unary(Node):
    """``operator operand``."""

    parts: ClassVar[tuple[str, ...]] = ("operand",)
    operator: str
    operand: Node


@dataclass(slots=True)
class Binary(Node):
    """``left operator right``."""

    parts: ClassVar[tuple[str, ...]] = ("left", "right")
    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Chain(Node):
    """What a ``?.`` inside skips when it meets nil."""

    parts: ClassVar[tuple[str, ...]] = ("node",)
    node: Node


@dataclass(slots=True)
class Member(Node):
    """``base.name`` or ``base[key]``."""

    parts: ClassVar[tuple[str, ...]] = ("base", "key")
    base: Node
    key: Node
    optional: bool = False
    is_called: bool = False


@dataclass(slots=True)
class Slice(Node):
    """``base[start:stop]``."""

    parts: ClassVar[tuple[str, ...]] = ("base", "start", "stop")
    base: Node
    start: Node | None
    stop: Node | None


@dataclass(slots=True)
class Call(Node):
    """A call of one of Argo's functions, of a method, or of anything else."""

    parts: ClassVar[tuple[str, ...]] = ("callee", "arguments")
    callee: "Identifier | Member"
    arguments: list[Node]


@dataclass(slots=True)
class Builtin(Node):
    """A call of a function of the language."""

    parts: ClassVar[tuple[str, ...]] = ("arguments",)
    name: str
    arguments: list[Node]
    mapped: Node | None = None
    """What filter and find return instead of the element itself; the optimizer's."""
    throws: bool = False
    """Whether a find without a match is an error; the optimizer's."""
    threshold: int | None = None
    """Where count may stop; the optimizer's."""


@dataclass(slots=True)
class Predicate(Node):
    """The body that a builtin runs for each element."""

    parts: ClassVar[tuple[str, ...]] = ("body",)
    body: Node


@dataclass(slots=True)
class Conditional(Node):
    """``condition ? then : otherwise``."""

    parts: ClassVar[tuple[str, ...]] = ("condition", "then", "otherwise")
    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True)
class Let(Node):
    """``let name = value; body``."""

    parts: ClassVar[tuple[str, ...]] = ("value", "body")
    name: str
    value: Node
    body: Node


@dataclass(slots=True)
class Sequence(Node):
    """``a; b``: all are evaluated, the last is the value."""

    parts: ClassVar[tuple[str, ...]] = ("nodes",)
    nodes: list[Node]


@dataclass(slots=True)
class Array(Node):
    """``[a, b]``."""

    parts: ClassVar[tuple[str, ...]] = ("nodes",)
    nodes: list[Node]


@dataclass(slots=True)
class Map(Node):
    """``{key: value}``."""

    parts: ClassVar[tuple[str, ...]] = ("entries",)
    entries: list[Node]
    """Keys and values in turn."""


def children(node: Node) -> list[Node]:
    """The nodes directly below a node, in the order of evaluation."""
    found: list[Node] = []
    for part in node.parts:
        below = getattr(node, part)
        if isinstance(below, list):
            found.extend(below)
        elif below is not None:
            found.append(below)
    return found


def replace_children(node: Node, replacement: Callable[[Node], Node]) -> None:
    """Put something else into the place of each node directly below a node."""
    for part in node.parts:
        below = getattr(node, part)
        if isinstance(below, list):
            setattr(node, part, [replacement(each) for each in below])
        elif below is not None:
            setattr(node, part, replacement(below))


def asks_for_index(node: Node) -> bool:
    """Whether ``#index`` stands anywhere in a tree."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Pointer) and found.name == "index":
            return True
        waiting.extend(children(found))
    return False


def operations(node: Node) -> set[str]:
    """The operators and the functions of the language in a tree."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Binary):
            found.add(each.operator)
        elif isinstance(each, Builtin):
            found.add(each.name)
        waiting.extend(children(each))
    return found
