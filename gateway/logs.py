"""Log lines as events: a fixed sentence and its keys, for a person or for a machine."""

import logging
import re
import sys
from datetime import UTC, datetime
from traceback import format_tb
from typing import Final, Literal

import orjson

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest is the event's own keys."""
_PLAIN: Final = re.compile(r'[^ "=\n]+')
"""What is told apart from its neighbours without quotes."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_keys(record),
        }
        if record.exc_info:
            line["traceback"] = _traceback(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


class TextFormatter(logging.Formatter):
    """``time level event key=value ...``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; a traceback follows on lines of its own."""
        keys = " ".join(f"{key}={_shown(value)}" for key, value in _keys(record).items())
        line = f"{_instant(record)} {record.levelname.lower():7} {record.getMessage()} {keys}"
        if record.exc_info:
            line = f"{line.rstrip()}\n{_traceback(record.exc_info[1])}"
        return line.rstrip()


def set_up(*, level: str, log_format: Literal["text", "json"]) -> None:
    """Send every log line of this process to standard error."""
    # Nothing of this is printed, and finding it out costs more than printing the rest.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    # The first tells of every file, the others of credentials as they go over the wire.
    for chatty in ("watchfiles", "botocore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Who asked for what is told however little else is.
    logging.getLogger("gateway.audit").setLevel(logging.INFO)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _traceback(error: BaseException | None) -> str:
    """Where an error comes from, and what it comes from in turn.

    Without their own words: nobody knows what those quote.
    """
    told: list[str] = []
    while error is not None:
        told.append("".join(format_tb(error.__traceback__)) + type(error).__name__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhile handling\n".join(told)


def _keys(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else orjson.dumps(text).decode()
