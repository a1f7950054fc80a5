"""A file of the deployer's that is in force as it was last good, and read again when it changes."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Generic, TypeVar

from gateway.bounds import MAX_BYTES
from gateway.config.settings import SettingsInvalid
from gateway.documents import Syntax, read_documents
from gateway.errors import Problem, RequestInvalid, TemplateInvalid
from gateway.regular_files import read_regular

POLL_S: Final = 2.0
"""A change is in force after so long. Looking is cheap, and works where changes are not reported:
on network volumes, and where Kubernetes swaps the folder of a Secret."""
Content = TypeVar("Content")
_Signature = tuple[int, int, int, int]
_log: Final = logging.getLogger(__name__)


class KeptFile(Generic[Content]):
    """What a YAML file says.

    Args:
        path: the file; symbolic links are followed.
        parse: a document to what it means. Raises TemplateInvalid.
        setting: the key that names the file.

    """

    def __init__(self, path: Path, parse: Callable[[object], Content], *, setting: str) -> None:
        self._path = path
        self._parse = parse
        self._setting = setting
        self._signature: _Signature | None = None
        self._content: Content | None = None
        self._problems: tuple[Problem, ...] = ()

    async def open(self) -> None:
        """Read it for the first time. Raises SettingsInvalid: there is nothing to go on with."""
        await self.load()
        if self._problems:
            raise SettingsInvalid(
                tuple(
                    Problem(f"{self._setting}: {self._path}", str(each)) for each in self._problems
                )
            )

    @property
    def content(self) -> Content:
        """What the file said when it was last good; ``open`` has been called."""
        if self._content is None:
            raise RuntimeError(f"{self._path} has not been read")
        return self._content

    def details(self) -> Mapping[str, object]:
        """How the file stands; JSON-ready."""
        return {"file": str(self._path), "problems": [str(each) for each in self._problems]}

    async def load(self) -> None:
        """Read the file if it has changed. What is broken changes nothing but what is told."""
        known = self._problems
        await asyncio.to_thread(self._read_again)
        if self._problems and self._problems != known:
            reason = "; ".join(str(each) for each in self._problems)
            keys = {"setting": self._setting, "file": str(self._path), "reason": reason}
            _log.warning("a file is broken, what it said before stays in force", extra=keys)
        elif known and not self._problems:
            _log.info("a file is good again", extra={"setting": self._setting})

    async def watch(self) -> None:
        """Load again whenever the file has changed, until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            await self.load()

    def _read_again(self) -> None:
        try:
            status = self._path.stat()
            signature = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)
            if signature == self._signature:
                return
            self._signature = None
            data = read_regular(self._path, max_bytes=MAX_BYTES)
            self._content = self._parsed(data)
        except OSError as error:
            why = error.strerror or str(error)
            self._problems = (Problem("", f"cannot be read: {why}"),)
        except RequestInvalid as error:
            self._signature, self._problems = signature, (Problem("", str(error)),)
        except TemplateInvalid as error:
            self._signature, self._problems = signature, error.problems
        else:
            self._signature, self._problems = signature, ()

    def _parsed(self, data: bytes) -> Content:
        documents = read_documents(data, name=self._path.name, syntax=Syntax.YAML)
        if len(documents) != 1:
            raise RequestInvalid(f"holds {len(documents)} YAML documents; it must be one")
        (document,) = documents
        try:
            return self._parse(document.content)
        except TemplateInvalid as error:
            raise TemplateInvalid(
                tuple(_with_line(each, document.line_of(each.path)) for each in error.problems)
            ) from None


def _with_line(problem: Problem, line: int | None) -> Problem:
    return problem if line is None else Problem(f"line {line}: {problem.path}", problem.message)
