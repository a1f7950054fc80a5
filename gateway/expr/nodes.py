"""The syntax tree of an expression. Source of its shape: expr-lang v1.17.8, ast/node.go."""

from dataclasses import dataclass, field

from gateway.expr.gotypes import UNKNOWN, Nature


@dataclass(slots=True, kw_only=True)
class Node:
    """A piece of an expression."""

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

    operator: str
    operand: Node


@dataclass(slots=True)
class Binary(Node):
    """``left operator right``."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Chain(Node):
    """What a ``?.`` inside skips when it meets nil."""

    node: Node


@dataclass(slots=True)
class Member(Node):
    """``base.name`` or ``base[key]``."""

    base: Node
    key: Node
    optional: bool = False
    is_called: bool = False


@dataclass(slots=True)
class Slice(Node):
    """``base[start:stop]``."""

    base: Node
    start: Node | None
    stop: Node | None


@dataclass(slots=True)
class Call(Node):
    """A call of one of Argo's functions, of a method, or of anything else."""

    callee: Node
    arguments: list[Node]


@dataclass(slots=True)
class Builtin(Node):
    """A call of a function of the language."""

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

    body: Node


@dataclass(slots=True)
class Conditional(Node):
    """``condition ? then : otherwise``."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True)
class Let(Node):
    """``let name = value; body``."""

    name: str
    value: Node
    body: Node


@dataclass(slots=True)
class Sequence(Node):
    """``a; b``: all are evaluated, the last is the value."""

    nodes: list[Node]


@dataclass(slots=True)
class Array(Node):
    """``[a, b]``."""

    nodes: list[Node]


@dataclass(slots=True)
class Map(Node):
    """``{key: value}``."""

    pairs: list[tuple[Node, Node]]


def children(node: Node) -> list[Node]:
    """The nodes directly below a node, in the order of evaluation."""
    match node:
        case Unary():
            return [node.operand]
        case Binary():
            return [node.left, node.right]
        case Chain():
            return [node.node]
        case Member():
            return [node.base, node.key]
        case Slice():
            return [child for child in (node.base, node.start, node.stop) if child is not None]
        case Call():
            return [node.callee, *node.arguments]
        case Builtin():
            return node.arguments
        case Predicate():
            return [node.body]
        case Conditional():
            return [node.condition, node.then, node.otherwise]
        case Let():
            return [node.value, node.body]
        case Sequence() | Array():
            return node.nodes
        case Map():
            return [child for pair in node.pairs for child in pair]
        case _:
            return []


def asks_for_index(node: Node) -> bool:
    """Whether ``#index`` stands anywhere in a tree."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Pointer) and found.name == "index":
            return True
        waiting.extend(children(found))
    return False
