"""Files that may be anything but files."""

import os
from pathlib import Path

import pytest

from gateway.regular_files import NotRegular, TooLarge, read_regular


def test_a_file_is_read(tmp_path: Path) -> None:
    """Verbatim, through symbolic links, up to the limit."""
    (tmp_path / "file").write_bytes(b"\x00abc\n")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", max_bytes=5) == b"\x00abc\n"


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    """One byte too many is too many."""
    (tmp_path / "file").write_bytes(b"abc")
    with pytest.raises(TooLarge, match="is larger than 2 bytes"):
        read_regular(tmp_path / "file", max_bytes=2)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody waits for a writer that never comes."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegular, match="is not a regular file"):
        read_regular(tmp_path / "pipe", max_bytes=9)


@pytest.mark.parametrize("name", ["", "missing"], ids=["a-folder", "nothing"])
def test_no_file_is_an_error(tmp_path: Path, name: str) -> None:
    """Folders, and what is not there."""
    with pytest.raises(OSError, match=r"regular|No such file"):
        read_regular(tmp_path / name, max_bytes=9)


def test_an_endless_device_is_refused() -> None:
    """Devices are no files."""
    with pytest.raises(NotRegular):
        read_regular(Path("/dev/zero"), max_bytes=9)
