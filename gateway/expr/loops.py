"""The functions that run a predicate for each element.

Each pays for its work in parts, so that a search that ends early costs little.
Source: expr-lang v1.17.8, compiler/compiler.go:820-1100 and vm/vm.go.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.expr.budget import allocate, charge
from gateway.expr.faults import Fault
from gateway.expr.lists import sorted_indexes
from gateway.expr.operators import add
from gateway.expr.strings import utf8
from gateway.expr.values import LISTS, AnyMap, Groups, Uint8, go_kind, hashed, json_map, not_a

Test = Callable[[object], object]
Loop = Callable[..., object]
_PART = 128
_STEPS_PER_MEMBER = 15


def itself(item: object) -> object:
    """The body of a loop that has none."""
    return item


def elements(value: object) -> Sequence[object]:
    """What a loop runs over: the items of a list, the bytes of a text."""
    if type(value) in LISTS:
        items: Sequence[object] = value  # type: ignore[assignment] # it is a list
        return [Uint8(byte) for byte in items] if isinstance(items, bytes) else items
    if isinstance(value, str):
        charge(len(value))
        return [Uint8(byte) for byte in utf8(value)]
    if json_map(value) is not None or isinstance(value, AnyMap):
        if value:
            raise Fault("reflect: call of reflect.Value.Index on map Value")
        return ()
    kind = "zero" if value is None else go_kind(value)
    raise Fault(f"reflect: call of reflect.Value.Len on {kind} Value")


def _parts(items: Sequence[object], cost: float) -> Iterator[Sequence[object]]:
    for start in range(0, len(items), _PART):
        part = items[start : start + _PART]
        charge(len(part) * cost)
        yield part


def _passes(test: Test, item: object) -> bool:
    found = test(item)
    if found is True or found is False:
        return found
    raise not_a("bool", found)


def all_of(value: object, test: Test, cost: float) -> bool:
    """``all``: true for an empty list."""
    for part in _parts(elements(value), cost):
        for item in part:
            if test(item) is not True and not _passes(test, item):
                return False
    return True


def any_of(value: object, test: Test, cost: float) -> bool:
    """``any``: false for an empty list."""
    for part in _parts(elements(value), cost):
        for item in part:
            if test(item) is not False and _passes(test, item):
                return True
    return False


def none_of(value: object, test: Test, cost: float) -> bool:
    """``none``: true for an empty list."""
    return not any_of(value, test, cost)


def one_of(value: object, test: Test, cost: float) -> bool:
    """``one``: exactly one."""
    return count_of(value, test, cost) == 1


def count_of(value: object, test: Test, cost: float, threshold: int | None = None) -> int:
    """``count``, which need not go on after ``threshold``."""
    count = 0
    for part in _parts(elements(value), cost):
        for item in part:
            if _passes(test, item):
                count += 1
                if count == threshold:
                    return count
    return count


def filter_of(value: object, test: Test, cost: float) -> tuple[object, ...]:
    """``filter``."""
    parts = _parts(elements(value), cost)
    found = tuple(item for part in parts for item in part if _passes(test, item))
    allocate(len(found))
    return found


def filter_map_of(
    value: object, test: Test, cost: float, mapped: Callable[[object], object]
) -> tuple[object, ...]:
    """``map`` of a ``filter``: each item that passes is mapped before the next is looked at."""
    parts = _parts(elements(value), cost)
    found = tuple(mapped(item) for part in parts for item in part if _passes(test, item))
    allocate(len(found))
    return found


def map_of(value: object, mapped: Test, cost: float) -> tuple[object, ...]:
    """``map``."""
    found = tuple(mapped(item) for part in _parts(elements(value), cost) for item in part)
    allocate(len(found))
    return found


def map_indexed_of(
    value: object, mapped: Callable[[object, int], object], cost: float
) -> tuple[object, ...]:
    """``map`` whose body asks for ``#index``."""
    items = (item for part in _parts(elements(value), cost) for item in part)
    found = tuple(mapped(item, index) for index, item in enumerate(items))
    allocate(len(found))
    return found


@dataclass(frozen=True, slots=True)
class Search:
    """What a find looks for, and what it gives."""

    backwards: bool = False
    gives_index: bool = False
    needs_match: bool = False


def find_of(value: object, test: Test, cost: float, search: Search, mapped: Test) -> object:
    """``find``, ``findIndex`` and their like: nil without a match, or a fault if one is needed."""
    items = elements(value)
    index = _found(items[::-1] if search.backwards else items, test, cost)
    if index is None:
        if search.needs_match:
            raise Fault("reflect: slice index out of range")
        return None
    index = len(items) - 1 - index if search.backwards else index
    if search.gives_index:
        return index
    return mapped(items[index])


def _found(items: Sequence[object], test: Test, cost: float) -> int | None:
    index = 0
    for part in _parts(items, cost):
        for item in part:
            if _passes(test, item):
                return index
            index += 1
    return None


def sum_of(value: object, mapped: Test, cost: float) -> object:
    """``sum``: 0, an int, for an empty list."""
    total: object = 0
    for part in _parts(elements(value), cost):
        for item in part:
            total = add(mapped(item), total)
    return total


def group_of(value: object, key: Test, cost: float) -> Groups:
    """``groupBy``: members keep their order."""
    members: dict[object, tuple[object, list[object]]] = {}
    for part in _parts(elements(value), cost):
        for item in part:
            name = key(item)
            charge(_STEPS_PER_MEMBER)
            members.setdefault(hashed(name), (name, []))[1].append(item)
    groups = Groups()
    for name, group in members.values():
        groups.put(name, tuple(group))
    return groups


def sort_of(value: object, key: Test, cost: float, order: object) -> tuple[object, ...]:
    """``sortBy``: equal keys keep their order."""
    items = elements(value)
    if not isinstance(order, str):
        raise Fault("sortBy order argument must be a string")
    if order not in {"asc", "desc"}:
        raise Fault("unknown order, use asc or desc")
    keys = [key(item) for part in _parts(items, cost) for item in part]
    found = tuple(items[index] for index in sorted_indexes(keys, order))
    allocate(len(found))
    return found


Step = Callable[[object, int, object], object]


def reduce_of(value: object, step: Step, cost: float) -> object:
    """``reduce`` that starts with the first element."""
    items = elements(value)
    if not items:
        raise Fault("reduce of empty array with no initial value")
    return _reduced(items, 1, step, cost, items[0])


def reduce_from(value: object, step: Step, cost: float, start: object) -> object:
    """``reduce`` with a start of its own."""
    return _reduced(elements(value), 0, step, cost, start)


def _reduced(
    items: Sequence[object], skipped: int, step: Step, cost: float, accumulated: object
) -> object:
    index = skipped
    for part in _parts(items[skipped:], cost):
        for item in part:
            accumulated = step(item, index, accumulated)
            index += 1
    return accumulated
