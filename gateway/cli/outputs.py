"""Standard output and standard error of a command whose exit code speaks, whoever reads them.

A reader may leave (``| head``), a disk may be full, a stream may be closed: an analysis goes on,
and ends with the exit code of its verdict.
"""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NUMBERS: Final = {"stdout": 1, "stderr": 2}


class _Descriptor(io.FileIO):
    """Takes in vain what nobody takes from it any more."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self.loss: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or remember why that was not possible."""
        try:
            return super().write(data)
        except OSError as error:
            self.loss = self.loss or error
            return memoryview(data).nbytes


def open_outputs() -> None:
    """Have both streams take everything that is printed, in any encoding."""
    for name, number in _NUMBERS.items():
        setattr(sys, name, _opened(getattr(sys, name), number))


def _opened(stream: io.TextIOWrapper | None, number: int) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(number)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def loss_of(stream: TextIO) -> OSError | None:
    """Why what was printed to a stream did not get out; None if it did."""
    stream.flush()
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.loss if isinstance(raw, _Descriptor) else None
