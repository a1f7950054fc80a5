"""Tokens to a syntax tree. Source: expr-lang v1.17.8, parser/parser.go and parser/operator."""

from gateway.expr import nodes
from gateway.expr.faults import Fault
from gateway.expr.lexer import NEGATABLE, Kind, Token
from gateway.expr.nodes import Node
from gateway.expr.operands import Operands

SIGNS = {"not": 50, "!": 50, "-": 90, "+": 90}
"""How strongly the operators before an operand bind."""
BINDING = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    **dict.fromkeys(("==", "!=", "<", ">", ">=", "<=", *NEGATABLE), 20),
    "..": 25,
    "+": 30,
    "-": 30,
    **dict.fromkeys("*/%", 60),
    "**": 100,
    "^": 100,
    "??": 500,
}
"""How strongly the operators between two operands bind."""
_STATEMENTS = ("let", "if")
_RIGHT_ASSOCIATIVE = frozenset({"**", "^"})
COMPARISONS = ("<", ">", ">=", "<=")
"""Operators that chain: ``0 < x < 1``."""
_MIXED = "Operator ({}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses."


def parse(text: str, declared: frozenset[str]) -> Node:
    """The syntax tree of an expression.

    A name in ``declared`` is never a function of the language.

    Raises:
        Fault: the text is no expression, or it is too large or nests too deeply.

    """
    parser = _Parser(text, declared)
    tree = parser.sequence()
    if parser.token.kind is not Kind.EOF:
        raise parser.unexpected()
    return tree


class _Parser(Operands):
    def sequence(self) -> Node:
        found = [self.expression(0)]
        while self.token.is_operator(";"):
            self.next()
            if self.token.kind is Kind.EOF:
                break
            found.append(self.expression(0))
        return found[0] if len(found) == 1 else self.made(nodes.Sequence(found), found[0].at)

    def expression(self, precedence: int) -> Node:
        self.enter()
        token = self.token
        if token.kind is not Kind.OPERATOR:
            node = self.operand()
        elif precedence == 0 and token.value in _STATEMENTS:
            node = self._let() if token.value == "let" else self._if()
            self.leave()
            return node
        else:
            node = self._signed()
        if self.token.kind is Kind.OPERATOR:
            node = self._operators(node, precedence)
            if precedence == 0:
                node = self._ternary(node)
        self.leave()
        return node

    def _signed(self) -> Node:
        token = self.token
        if token.value not in SIGNS:
            return self.operand()
        self.next()
        operand = self.expression(SIGNS[token.value])
        return self.postfix(self.made(nodes.Unary(token.value, operand), token.at))

    def _operators(self, left: Node, precedence: int) -> Node:
        previous = ""
        while self.token.kind is Kind.OPERATOR:
            operator = self.token
            negation = self.next() if operator.value == "not" else None
            if negation is not None:
                if self.token.value not in NEGATABLE:
                    raise self.unexpected()
                operator = self.token
            if BINDING.get(operator.value, -1) < precedence:
                if negation is not None:
                    self.give_back(negation)
                break
            self.next()
            left = self._applied(left, operator, previous)
            if negation is not None:
                left = self.made(nodes.Unary("not", left), operator.at)
            previous = operator.value
        return left

    def _applied(self, left: Node, operator: Token, previous: str) -> Node:
        value = operator.value
        if value == "|":
            return self.call(self.expect(Kind.IDENTIFIER), [left], self._declared)
        if previous == "??" and value != "??":
            raise Fault(_MIXED.format(value), operator.at)
        if value in COMPARISONS:
            return self._comparison(left, operator)
        right = self.expression(BINDING[value] + (value not in _RIGHT_ASSOCIATIVE))
        return self.made(nodes.Binary(value, left, right), operator.at)

    def _comparison(self, left: Node, operator: Token) -> Node:
        chained: Node | None = None
        while True:
            right = self.expression(BINDING[operator.value] + 1)
            compared = self.made(nodes.Binary(operator.value, left, right), operator.at)
            if chained is None:
                chained = compared
            else:
                chained = self.made(nodes.Binary("&&", chained, compared), operator.at)
            if not self.token.is_operator(*COMPARISONS):
                return chained
            left, operator = right, self.next()

    def _let(self) -> Node:
        self.next()
        name = self.expect(Kind.IDENTIFIER)
        self.expect(Kind.OPERATOR, "=")
        value = self.expression(0)
        self.expect(Kind.OPERATOR, ";")
        return self.made(nodes.Let(name.value, value, self.sequence()), name.at)

    def _if(self) -> Node:
        start = self.next()
        condition = self.expression(0)
        then = self._block()
        self.expect(Kind.OPERATOR, "else")
        otherwise = self.expression(0) if self.token.is_operator("if") else self._block()
        return self.made(nodes.Conditional(condition, then, otherwise), start.at)

    def _block(self) -> Node:
        self.open("{")
        block = self.sequence()
        self.close("}")
        return block

    def _ternary(self, node: Node) -> Node:
        while self.token.is_operator("?"):
            question = self.next()
            then = node if self.token.is_operator(":") else self.expression(0)
            self.expect(Kind.OPERATOR, ":")
            otherwise = self.expression(0)
            node = self.made(nodes.Conditional(node, then, otherwise), question.at)
        return node
