"""Read a file that somebody else may swap, replace or turn into something worse."""

import os
import stat
from pathlib import Path


class NotRegular(OSError):
    """A folder, a pipe or a device where a file was expected."""


class TooLarge(OSError):
    """A file with more bytes than it may have."""


def read_regular(path: Path, *, max_bytes: int) -> bytes:
    """The content of a regular file; symbolic links are followed.

    Raises:
        NotRegular: whoever waits for the writer of a pipe would wait for ever.
        TooLarge: more than ``max_bytes``.
        OSError: it is not there or cannot be read.

    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise NotRegular("is not a regular file")
    # O_NONBLOCK: had it become a pipe just now, even opening it would wait.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise TooLarge(f"is larger than {max_bytes} bytes")
    return content
