"""The answers of Datadog's two query APIs to a reading.

Source: argo-rollouts metricproviders/datadog/datadog.go:76-226, 378-535 @ 9f8d111d8. Unlike there,
a last point without a value is no data (Argo reads it as 0), and errors that an answer tells are an
Error wherever they stand (Argo looks at ``data.errors`` of v2 only).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from gateway.errors import ProviderRejected, ProviderUnreadable
from gateway.gotext import json_text, plain_float, quote
from gateway.model import Reading, ResultType
from gateway.provider import HttpResponse
from providers._json import NotJson, decode, fitting, member, mismatch
from providers._requests import shortened

MAX_TOLD_GROUPS: Final = 100
"""Of more groups than these, which are all judged, the lowest and the highest half are told.

Source: argo-rollouts metricproviders/datadog/datadog.go:184-226 @ 9f8d111d8.
"""
_OK = 200
_UNAUTHORIZED = {401, 403}
_PAIR = 2
_V1 = "datadogResponseV1"
_SERIES = f"struct field {_V1}.Series of type"
_POINTS = 'struct { Pointlist [][]float64 "json:\\"pointlist\\"" }'
_POINTLIST = "struct field .Series.pointlist of type"
_V2 = "datadogResponseV2"
_COLUMNS = "struct { Columns []datadog.datadogV2Column }"
_DATA = f"struct {{ Attributes {_COLUMNS}; Errors string }}"
_COLUMN = "struct field datadogV2Column.Data.Attributes.Columns"
_Point = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a scalar answer: numbers, or the tag values of groups."""

    name: str
    kind: str
    """``number`` or ``group``; empty in old answers, which have numbers only."""
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class _Group:
    """What was measured for one group; without a name if the query has none."""

    name: str
    value: float


def read_v1(response: HttpResponse) -> Reading:
    """The last point of the first series.

    Raises:
        ProviderRejected: the status is not 200, or the answer tells errors.
        ProviderUnreadable: the answer is not what Datadog documents.

    """
    _check_status(response)
    with _parsing():
        document = _document(response, _V1)
        series = member(document, "series")
        lists = [_points(each) for each in fitting(series, list, f"{_SERIES} []{_POINTS}")]
    if not lists or not lists[0]:
        shown = [{"pointlist": points} for points in lists]
        return _no_data("null" if series is None else json_text(shown))
    point = lists[0][-1] or ()
    if len(point) != _PAIR:
        raise ProviderUnreadable("Datapoint does not have 2 values")
    return _no_data("null") if point[1] is None else _one_number(point[1])


def read_v2(response: HttpResponse) -> Reading:
    """The first column of numbers: one number, or one for each group.

    Raises: as ``read_v1`` does.
    """
    _check_status(response)
    with _parsing():
        columns = [_column(each) for each in _columns(_document(response, _V2))]
    groupings = [column for column in columns if column.kind == "group"]
    found = list(_found(columns, groupings))
    if not found:
        return _no_data("[]")
    if not groupings:
        return _one_number(found[0].value)
    numbers = tuple(group.value for group in found)
    text = f"[{','.join(map(plain_float, numbers))}]"
    return Reading(numbers, ResultType.FLOATS, text, value_metadata=_told(found))


def _one_number(number: float) -> Reading:
    return Reading(number, ResultType.FLOAT, plain_float(number))


def _no_data(text: str) -> Reading:
    return Reading(None, ResultType.FLOAT, text, is_empty=True)


def _check_status(response: HttpResponse) -> None:
    if response.status == _OK:
        return
    what = "authentication error" if response.status in _UNAUTHORIZED else "non 2xx"
    body = shortened(response.body.decode("utf-8", "replace"))
    raise ProviderRejected(f"received {what} response code: {response.status} {body}")


@contextmanager
def _parsing() -> Iterator[None]:
    try:
        yield
    except NotJson as error:
        raise ProviderUnreadable(f"Could not parse JSON body: {error.go_words}") from error
    except ProviderUnreadable as error:
        raise ProviderUnreadable(f"Could not parse JSON body: {error}") from error


def _document(response: HttpResponse, record: str) -> Mapping[str, object]:
    document = fitting(decode(response.body), dict, f"value of type datadog.{record}")
    for name in ("errors", "error"):
        _refuse(member(document, name))
    return document


def _refuse(errors: object) -> None:
    if errors:
        told = errors if isinstance(errors, list) else [errors]
        texts = [error if isinstance(error, str) else json_text(error) for error in told]
        raise ProviderRejected(f"There were errors in your query: {shortened('; '.join(texts))}")


def _points(series: object) -> Sequence[_Point | None] | None:
    points = member(fitting(series, dict, f"{_SERIES} {_POINTS}"), "pointlist")
    found = [_point(point) for point in fitting(points, list, f"{_POINTLIST} [][]float64")]
    return None if points is None else found


def _point(point: object) -> _Point | None:
    numbers = [_coordinate(each) for each in fitting(point, list, f"{_POINTLIST} []float64")]
    return None if point is None else numbers


def _coordinate(value: object) -> float | None:
    if not isinstance(value, float | None):
        raise mismatch(value, f"{_POINTLIST} float64")
    return value


def _columns(document: Mapping[str, object]) -> Sequence[object]:
    data = fitting(member(document, "data"), dict, f"struct field {_V2}.Data of type {_DATA}")
    wanted = f"struct field .Data.Attributes of type {_COLUMNS}"
    attributes = fitting(member(data, "attributes"), dict, wanted)
    wanted = "struct field .Data.Attributes.Columns of type []datadog.datadogV2Column"
    columns = fitting(member(attributes, "columns"), list, wanted)
    _refuse(fitting(member(data, "errors"), str, "struct field .Data.Errors of type string"))
    return columns


def _column(content: object) -> _Column:
    wanted = "struct field .Data.Attributes.Columns of type datadog.datadogV2Column"
    column = fitting(content, dict, wanted)
    return _Column(
        fitting(member(column, "name"), str, f"{_COLUMN}.name of type string"),
        fitting(member(column, "type"), str, f"{_COLUMN}.type of type string"),
        fitting(member(column, "values"), list, f"{_COLUMN}.values of type []json.RawMessage"),
    )


def _found(columns: Sequence[_Column], groupings: Sequence[_Column]) -> Iterator[_Group]:
    for column in columns:
        if column.kind in {"", "number"}:
            for index, value in enumerate(column.values):
                if value is not None:
                    number = _number(value, column.name)
                    yield _Group(_label(groupings, index), number)
            # Which of several columns was meant is not known: as in Argo, the first one counts.
            return


def _number(value: object, column: str) -> float:
    if isinstance(value, float):
        return value
    reason = mismatch(value, "value of type float64")
    shown = shortened(quote(json_text(value)))
    raise ProviderUnreadable(
        f"could not parse numeric value {shown} in column {quote(column)}: {reason}"
    )


def _label(groupings: Sequence[_Column], index: int) -> str:
    tags: list[str] = []
    for column in groupings:
        own = column.values[index] if index < len(column.values) else None
        if not isinstance(own, list) or not own:
            raise _unlabelled(index)
        for tag in own:
            if not isinstance(tag, str | None):
                raise _unlabelled(index)
            tags.append(tag or "")
    return ",".join(tags)


def _unlabelled(index: int) -> ProviderUnreadable:
    return ProviderUnreadable(f"could not parse group label at index {index}")


def _told(groups: Sequence[_Group]) -> dict[str, str]:
    is_long = len(groups) > MAX_TOLD_GROUPS
    if is_long:
        ascending = sorted(groups, key=lambda group: group.value)
        half = MAX_TOLD_GROUPS // 2
        groups = (*ascending[:half], *ascending[-half:])
    text = json_text([{"name": group.name, "value": group.value} for group in groups])
    return {"groups": text, **({"groups_truncated": "true"} if is_long else {})}
