"""Kubernetes' JSONPath: templates in braces, applied to decoded JSON.

Source: k8s.io/client-go v0.34.5 util/jsonpath/jsonpath.go, surprises included, as argo-rollouts
metricproviders/webmetric/webmetric.go:124-160 @ 9f8d111d8 uses it. Unlike there, members of an
object come in the order of the document, and the work that one path may cause is bounded.

Decoded JSON here has floats for all numbers; an ``int`` is a literal of the template or, as in Go,
a byte of a string.
"""

from collections.abc import Iterable, Mapping

from providers._jsonpath.nodes import (
    Action,
    Field,
    Filter,
    Identifier,
    Literal,
    Node,
    Slice,
    Template,
    Union,
    Wildcard,
)
from providers._jsonpath.parser import parse
from providers._jsonpath.values import (
    COMPARISONS,
    MISSING,
    children,
    incomparable,
    printed,
    type_name,
)

MAX_VISITED = 3_000_000
"""How many values one search may look at."""
MAX_RANGES = 50
"""How deep ``{range}`` may stand in ``{range}``."""


class JsonPathNotFound(ValueError):
    """The path leads nowhere in this document; the text is client-go's."""

    def __init__(self, message: str, found: list[object] | None = None) -> None:
        super().__init__(message)
        self.found = found or []
        """What had been found when the search failed; an existence filter counts it as found."""


class JsonPath:
    """One parsed template; immutable, so that measurements can share it."""

    def __init__(self, text: str) -> None:
        """Parse a template. Raises JsonPathInvalid, e.g. ``unclosed action``."""
        self._template = parse(text)
        self.text = text

    def first(self, document: object) -> object:
        """The first value that the template selects.

        Raises:
            JsonPathNotFound: the path leads nowhere, or client-go would crash on it.
            LookupError: the path leads somewhere, but selects no value there.

        """
        for results in _Search(self._template).find(document):
            for value in results:
                return _present(value)
        raise LookupError


class _Search:
    """One walk of one template over one document; holds the state of ``{range}`` loops."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._visited = 0
        self._ranges_to_begin = 0
        self._ranges_open = 0
        self._ranges_to_end = 0
        self._last_end = -1

    def find(self, document: object, start: int = 0) -> list[list[object]]:
        """The results of each part of the template from ``start`` on."""
        current = [MISSING if document is None else document]
        found: list[list[object]] = []
        index = start
        while index < len(self._template):
            part = self._template[index]
            results: list[object] = (
                [part.value] if isinstance(part, Literal) else self._walk(current, part)
            )
            if 0 < self._ranges_to_end <= self._ranges_open:
                self._ranges_to_end -= 1
                self._last_end = index
                break
            if self._ranges_to_begin > 0:
                found.extend(self._range(results, index))
                # Go on behind the {end} that was met last, if it lies ahead.
                index = max(index, self._last_end)
            else:
                found.append(results)
            index += 1
        return found

    def _range(self, values: list[object], index: int) -> list[list[object]]:
        self._ranges_to_begin -= 1
        self._ranges_open += 1
        if self._ranges_open > MAX_RANGES:
            raise JsonPathNotFound(f"more than {MAX_RANGES} ranges in each other")
        found: list[list[object]] = []
        for value in values:
            found.extend(self.find(_present(value), index + 1))
        if not values:
            # An empty range is walked as well, to learn where its {end} stands.
            self.find(None, index + 1)
        self._ranges_open -= 1
        return found

    def _walk(self, values: list[object], action: Action) -> list[object]:
        for node in action:
            self._spend(len(values))
            values = self._step(values, node)
        return values

    def _step(self, values: list[object], node: Node) -> list[object]:
        match node:
            case Literal(str() as text):
                return [text]
            case Literal(value):
                return [value] * len(values)
            case Field(name):
                return _members(values, name)
            case Slice():
                return self._elements(values, node)
            case Filter():
                return self._filtered(values, node)
            case Union(branches):
                return self._united(values, branches)
            case Identifier(name):
                return self._keyword(values, name)
            case Wildcard():
                return self._all_children(values)
            case _:
                return self._descendants(values)

    def _spend(self, count: int) -> None:
        self._visited += count + 1
        if self._visited > MAX_VISITED:
            raise JsonPathNotFound(f"the path looks at more than {MAX_VISITED} values")

    def _elements(self, values: list[object], node: Slice) -> list[object]:
        found: list[object] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise JsonPathNotFound(f"{type_name(value)} is not array or slice", values)
            start, stop = node.bounds(len(value))
            if start == stop:
                return found
            problem = _out_of_bounds(start, stop, len(value))
            if not problem and node.step is not None and node.step <= 0:
                problem = "step must be > 0"
            if problem:
                raise JsonPathNotFound(problem, values)
            self._spend(stop - start)
            found.extend(value[start : stop : node.step or 1])
        return found

    def _all_children(self, values: list[object]) -> list[object]:
        found: list[object] = []
        for value in values:
            inside = children(value)
            self._spend(len(inside))
            found.extend(inside)
        return found

    def _united(self, values: list[object], branches: Iterable[Action]) -> list[object]:
        found: list[object] = []
        for branch in branches:
            try:
                results = self._walk(values, branch)
            except JsonPathNotFound as error:
                raise JsonPathNotFound(str(error), values) from error
            self._spend(len(results))
            found.extend(results)
        return found

    def _keyword(self, values: list[object], name: str) -> list[object]:
        if name == "range":
            self._ranges_to_begin += 1
            return values
        if name != "end":
            raise JsonPathNotFound(f"unrecognized identifier {name}", values)
        if self._ranges_open == 0:
            raise JsonPathNotFound("not in range, nothing to end")
        self._ranges_to_end += 1
        return []

    def _descendants(self, values: list[object]) -> list[object]:
        found: list[object] = []
        waiting = [iter(values)]
        while waiting:
            value = next(waiting[-1], MISSING)
            if value is MISSING:
                waiting.pop()
                continue
            self._spend(0)
            if isinstance(value, (Mapping, list, str)) and value:
                found.append(value)
                # The bytes of a string are children, but have none themselves.
                if not isinstance(value, str):
                    waiting.append(iter(children(value)))
        return found

    def _filtered(self, values: list[object], node: Filter) -> list[object]:
        found: list[object] = []
        for value in values:
            if not isinstance(value, list):
                raise JsonPathNotFound(
                    f"{printed(value)} is not array or slice and cannot be filtered", values
                )
            for item in value:
                self._spend(1)
                if node.operator == "exists":
                    is_kept = self._exists(item, node.left)
                else:
                    is_kept = self._compares(item, node, values, found)
                if is_kept:
                    found.append(item)
        return found

    def _exists(self, item: object, action: Action) -> bool:
        try:
            return bool(self._walk([item], action))
        except JsonPathNotFound as error:
            self._spend(1)
            return bool(error.found)

    def _compares(
        self, item: object, node: Filter, values: list[object], found: list[object]
    ) -> bool:
        sides: list[object] = []
        for side in (node.left, node.right):
            try:
                results = self._walk([item], side)
            except JsonPathNotFound as error:
                raise JsonPathNotFound(str(error), values) from error
            if not results:
                return False
            if len(results) > 1:
                raise JsonPathNotFound("can only compare one element at a time", values)
            sides += results
        if node.operator not in COMPARISONS:
            raise JsonPathNotFound(f"unrecognized filter operator {node.operator}", found)
        problem = incomparable(node.operator, *sides)
        if problem:
            raise JsonPathNotFound(problem, found)
        return COMPARISONS[node.operator](*sides)


def _present(value: object) -> object:
    if value is MISSING:
        raise JsonPathNotFound("the document is null")
    return value


def _members(values: list[object], name: str) -> list[object]:
    found = [value[name] for value in values if isinstance(value, Mapping) and name in value]
    if values and not found:
        raise JsonPathNotFound(f"{name} is not found")
    return found


def _out_of_bounds(start: int, stop: int, length: int) -> str:
    if not 0 <= start < length:
        return f"array index out of bounds: index {start}, length {length}"
    if not 0 <= stop <= length:
        return f"array index out of bounds: index {stop - 1}, length {length}"
    if start > stop:
        return f"starting index {start} is greater than ending index {stop}"
    return ""
