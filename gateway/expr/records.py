"""What conditions see of readings whose values have Go types of their own.

Source: aws-sdk-go-v2 service/cloudwatch/types, as argo-rollouts metricproviders/cloudwatch
@ 9f8d111d8 hands it over, and influxdb-client-go v2.14.0 api/query.go. ``Id``, ``Label``, ``Code``
and ``Value`` are pointers to strings there, and strings here.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.durations import parse_duration_ns
from gateway.expr.gotime import NANOSECONDS, UTC, Duration, Time
from gateway.expr.layouts import RFC3339_NANO
from gateway.expr.timeparse import parse_time
from gateway.expr.values import (
    NIL_LIST,
    Floats,
    Int64,
    Messages,
    MetricData,
    Record,
    StatusCode,
    Times,
    Uint64,
)
from gateway.model import Typed

_GO_VALUES: Mapping[str, Callable[[str], object]] = {
    "int64": lambda text: Int64(int(text)),
    "uint64": lambda text: Uint64(int(text)),
    "time.Time": lambda text: parse_time(RFC3339_NANO, text, None),
    "time.Duration": lambda text: Duration(parse_duration_ns(text)),
    "[]uint8": base64.b64decode,
}


def typed_list(items: Iterable[object]) -> tuple[object, ...]:
    """A list whose elements may be ``Typed``, as conditions see it."""
    return tuple(
        _GO_VALUES[item.go_type](item.text) if isinstance(item, Typed) else item for item in items
    )


def metric_data(results: Iterable[Mapping[str, object]]) -> MetricData:
    """CloudWatch's results, frozen JSON, as conditions see them."""
    return MetricData(map(_result, results))


def _result(content: Mapping[str, Any]) -> Record:
    return Record(
        "types.MetricDataResult",
        {
            "Id": content.get("Id"),
            "Label": content.get("Label"),
            "Messages": Messages(map(_message, content["Messages"]))
            if "Messages" in content
            else NIL_LIST,
            "StatusCode": StatusCode(content.get("StatusCode", "")),
            "Timestamps": Times(map(_instant, content.get("Timestamps", ()))),
            "Values": Floats(content.get("Values", ())),
        },
    )


def _message(content: Mapping[str, object]) -> Record:
    fields = {name: content.get(name) for name in ("Code", "Value")}
    return Record("types.MessageData", fields)


def _instant(unix_s: float) -> Time:
    return Time(round(unix_s * NANOSECONDS), UTC)
