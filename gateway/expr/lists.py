"""Functions on whole lists and maps. Source: expr-lang v1.17.8, builtin/builtin.go and lib.go."""

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import cmp_to_key, reduce

from gateway.expr.access import fetch, like
from gateway.expr.budget import allocate, charge
from gateway.expr.faults import Fault
from gateway.expr.operators import equal, less, more
from gateway.expr.printing import printed
from gateway.expr.values import (
    LISTS,
    NIL_LIST,
    NUMBERS,
    AnyMap,
    Pair,
    Pairs,
    Uint8,
    go_kind,
    go_type,
    json_map,
)

_STEPS_PER_ENTRY = 15
_INSERTION_SORT_MAX = 12
_DIRECTIONS = {"asc": False, "desc": True}
_INTEGER_KINDS = frozenset({"int", "int64"})
"""Of months and durations, which are numbers to some functions only."""
_PLAIN = ({float}, {str}, {bool})


def items_of(value: object, complaint: str) -> Sequence[object]:
    """The items of a list. Raises Fault, with the value's kind put into ``complaint``."""
    if type(value) not in LISTS:
        raise Fault(complaint.format(go_kind(value)))
    items: Sequence[object] = value  # type: ignore[assignment] # it is a list
    charge(1 + len(items) // 8)
    return [Uint8(byte) for byte in items] if isinstance(items, bytes) else items


def first(items: object) -> object:
    """The first item; nil if there is none."""
    return _end(items, 0)


def last(items: object) -> object:
    """The last item; nil if there is none."""
    return _end(items, -1)


def _end(items: object, index: int) -> object:
    try:
        return fetch(items, index)
    except Fault:
        return None


def take(items: object, count: object) -> object:
    """The first so many items."""
    if type(items) not in LISTS:
        raise Fault(f"cannot take from {go_kind(items)}")
    if not isinstance(count, int) or isinstance(count, bool) or go_type(count) == "uint8":
        raise Fault(f"cannot take {go_kind(count)} elements")
    if count < 0:
        raise Fault("reflect.Value.Slice: slice index out of bounds")
    charge(1 + int(count) // 8)
    return like(items, items[: int(count)])  # type: ignore[index] # it is a list


def reverse(items: object) -> tuple[object, ...]:
    """The items, last one first."""
    found = tuple(reversed(items_of(items, "cannot reverse {}")))
    allocate(len(found))
    return found


def concat(*lists: object) -> tuple[object, ...]:
    """All items of all lists."""
    found = tuple(item for items in lists for item in items_of(items, "cannot concat {}"))
    charge(len(found))
    allocate(len(found))
    return found or NIL_LIST


def flatten(items: object) -> tuple[object, ...]:
    """All items, and those of lists inside lists instead of the lists."""
    found = tuple(_leaves(items_of(items, "cannot flatten {}")))
    allocate(len(found))
    return found


def _leaves(items: Sequence[object]) -> Iterator[object]:
    charge(1 + 3 * len(items))
    for item in items:
        if type(item) in LISTS:
            yield from _leaves(items_of(item, "{}"))
        else:
            yield item


def uniq(items: object) -> tuple[object, ...]:
    """Each item once, at its first place."""
    given = items_of(items, "cannot uniq {}")
    charge(1 + len(given))
    if {type(item) for item in given} in _PLAIN and all(map(operator.eq, given, given)):
        return tuple(dict.fromkeys(given))
    kept: list[object] = []
    for item in given:
        charge(8 * len(kept))
        if not any(equal(item, known) for known in kept):
            kept.append(item)
    return tuple(kept)


def sort(items: object, order: object = "asc") -> tuple[object, ...]:
    """The items in order. Equal items keep their places."""
    given = items if go_type(items) in _SORTABLE else NIL_LIST
    if not isinstance(order, str):
        raise Fault(f"sort order argument must be a string (got {go_type(order)})")
    if order not in _DIRECTIONS:
        raise Fault(f"invalid order {order}, expected asc or desc")
    found: tuple[object, ...] = tuple(given)  # type: ignore[arg-type] # it is a list
    allocate(len(found))
    if type(given) is not type(NIL_LIST):
        return tuple(found[index] for index in sorted_indexes(found, order))
    return NIL_LIST


_SORTABLE = frozenset({"[]interface {}", "[]int", "[]float64", "[]string"})


def sorted_indexes(keys: Sequence[object], order: str) -> list[int]:
    """The places of keys, smallest key first or, with ``desc``, last."""
    count = len(keys)
    charge(1 + count * max(count.bit_length(), 1))
    before = _descends if _DIRECTIONS[order] else less
    if count <= _INSERTION_SORT_MAX:
        return _insertion_sorted(keys, before)
    indexes = list(range(count))
    kinds = {type(key) for key in keys}
    # NaN is in no order with anything: plain sorting would leave a heap of its own.
    if kinds in ({float}, {int}) and all(map(operator.eq, keys, keys)):
        plain: Sequence[float] = keys  # type: ignore[assignment] # all are numbers
        return sorted(indexes, key=plain.__getitem__, reverse=_DIRECTIONS[order])
    charge(4 * count * count.bit_length())

    def compared(left: int, right: int) -> int:
        return -1 if before(keys[left], keys[right]) else int(before(keys[right], keys[left]))

    return sorted(indexes, key=cmp_to_key(compared))


def _descends(left: object, right: object) -> bool:
    return less(right, left)


def _insertion_sorted(
    keys: Sequence[object], before: Callable[[object, object], bool]
) -> list[int]:
    # Up to twelve items Go sorts like this, so that even NaN ends up in the same place.
    indexes = list(range(len(keys)))
    for start in indexes[1:]:
        place = start
        while place > 0 and before(keys[indexes[place]], keys[indexes[place - 1]]):
            indexes[place], indexes[place - 1] = indexes[place - 1], indexes[place]
            place -= 1
    return indexes


def keys(holder: object) -> tuple[object, ...]:
    """The keys of a map, sorted where they are texts."""
    return tuple(key for key, _ in _entries(holder, "cannot get keys from {}"))


def values(holder: object) -> tuple[object, ...]:
    """The values of a map, in the order of ``keys``."""
    return tuple(value for _, value in _entries(holder, "cannot get values from {}"))


def to_pairs(holder: object) -> Pairs:
    """Keys and values of a map, in the order of ``keys``."""
    return Pairs(Pair(entry) for entry in _entries(holder, "cannot transform {} to pairs"))


def _entries(holder: object, complaint: str) -> list[tuple[object, object]]:
    plain = json_map(holder)
    if plain is not None:
        charge(1 + 4 * len(plain))
        return [(key, plain[key]) for key in sorted(plain)]
    if isinstance(holder, AnyMap):
        charge(1 + 4 * len(holder))
        return list(holder.items())
    raise Fault(complaint.format(go_kind(holder)))


def from_pairs(pairs: object) -> AnyMap:
    """A map of pairs; of two pairs with one key, the later counts."""
    if type(pairs) not in LISTS:
        shown = "<invalid reflect.Value>" if pairs is None else printed(pairs)
        raise Fault(f"cannot transform {shown} from pairs")
    found = AnyMap()
    for pair in items_of(pairs, "{}"):
        charge(_STEPS_PER_ENTRY)
        if type(pair) not in LISTS:
            shown = "<nil>" if pair is None else printed(pair)
            raise Fault(f"invalid pair {shown}")
        entry = items_of(pair, "{}")
        if len(entry) != 2:  # noqa: PLR2004 - a key and a value
            raise Fault(f"invalid pair length {printed(pair)}")
        found.put(entry[0], entry[1])
    return found


def largest(*arguments: object) -> object:
    """The function ``max``: of numbers and of lists of numbers; nil if there are none."""
    return _extreme("max", max, less, arguments)


def smallest(*arguments: object) -> object:
    """The function ``min``: of numbers and of lists of numbers; nil if there are none."""
    return _extreme("min", min, more, arguments)


def _extreme(
    name: str,
    pick: Callable[[Sequence[float]], float],
    gives_way: Callable[[object, object], bool],
    arguments: Sequence[object],
) -> object:
    found: object = None
    for argument in arguments:
        if type(argument) in NUMBERS or go_kind(argument) in _INTEGER_KINDS:
            candidate = argument
        elif type(argument) in LISTS:
            candidate = _extreme_item(name, pick, gives_way, argument)
        elif len(arguments) == 1:
            return argument
        else:
            raise Fault(f"invalid argument for {name} (type {go_type(argument)})")
        if candidate is not None and (found is None or gives_way(found, candidate)):
            found = candidate
    return found


def _extreme_item(
    name: str,
    pick: Callable[[Sequence[float]], float],
    gives_way: Callable[[object, object], bool],
    argument: object,
) -> object:
    items = items_of(argument, "{}")
    charge(len(items) // 2)
    if items and set(map(type, items)) == {float}:
        return pick(items)  # type: ignore[arg-type] # all are floats
    charge(8 * len(items))
    found: object = None
    for item in items:
        candidate = item
        if type(item) in LISTS:
            candidate = _extreme_item(name, pick, gives_way, item)
        elif type(item) not in NUMBERS:
            raise Fault(f"invalid argument for {name} (type {go_type(item)})")
        if candidate is not None and (found is None or gives_way(found, candidate)):
            found = candidate
    return found


def mean(*arguments: object) -> float:
    """The average of numbers and of lists of numbers; 0 if there are none."""
    numbers = list(_numbers("mean", arguments))
    return reduce(operator.add, numbers, 0.0) / len(numbers) if numbers else 0.0


def median(*arguments: object) -> float:
    """The middle of numbers and of lists of numbers; 0 if there are none."""
    numbers = sorted(_numbers("median", arguments), key=_nan_first)
    if not numbers:
        return 0.0
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _nan_first(number: float) -> tuple[bool, float]:
    return (number == number, number)  # noqa: PLR0124 - only NaN differs from itself


def _numbers(name: str, arguments: Sequence[object]) -> Iterator[float]:
    charge(1 + 4 * len(arguments))
    for argument in arguments:
        if type(argument) in NUMBERS or go_kind(argument) in _INTEGER_KINDS:
            yield float(argument)  # type: ignore[arg-type] # it is a number
        elif type(argument) in LISTS:
            yield from _numbers(name, items_of(argument, "{}"))
        else:
            raise Fault(f"invalid argument for {name} (type {go_type(argument)})")
