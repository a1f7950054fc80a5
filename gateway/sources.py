"""Templates from a folder, read again when its files change.

``*.yaml``, ``*.yml`` and ``*.json`` directly in the folder and in the folders directly below it are
read; names that start with a dot are not, which is how Kubernetes hides the parts of a mounted
ConfigMap. Manifests of other kinds may stand beside the templates and are left alone.
"""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from watchfiles import awatch

from gateway.bounds import MAX_BYTES
from gateway.documents import Document, Syntax, manifests, read_documents
from gateway.errors import Problem, RequestInvalid
from gateway.regular_files import read_regular
from gateway.template import Kind, Template, TemplateRef, examine, is_of_others

MAX_FILES: Final = 1_000
RESYNC_S: Final = 10.0
"""File systems that report no changes are looked at this often."""
_SYNTAX_BY_SUFFIX: Final[Mapping[str, Syntax]] = {
    ".yaml": Syntax.YAML,
    ".yml": Syntax.YAML,
    ".json": Syntax.JSON,
}
_QUIET_MS: Final = 50
"""A change is acted upon when no other has followed it for this long."""

_log: Final = logging.getLogger(__name__)
_Key = tuple[Kind, str, str]
_Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file, or the folder itself, that could not be read as it stands now."""

    file: str
    """Below the folder, ``.`` for the folder; what was last read of it is still in force."""
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class TemplateIndex:
    """All templates of one moment; never changed, only replaced."""

    own_namespace: str
    """Where templates live that do not say so."""
    revision: int = 0
    """Changes whenever any template does."""
    by_key: Mapping[_Key, Template] = field(default_factory=dict)
    broken_files: tuple[BrokenFile, ...] = ()

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template that ``ref`` means in ``namespace``, None if there is none."""
        home = "" if ref.cluster_scope else namespace
        return self.by_key.get((ref.kind, home, ref.template_name))

    def entries(self) -> Iterator[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""
        for key in sorted(self.by_key):
            yield key[1], self.by_key[key]

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """Files that cannot be used as they are, with what is wrong."""
        for each in self.broken_files:
            yield each.file, each.problems

    def succeeded_by(
        self, by_key: Mapping[_Key, Template], broken_files: tuple[BrokenFile, ...]
    ) -> "TemplateIndex":
        """The index of the next moment."""
        revision = self.revision + (by_key != self.by_key)
        return TemplateIndex(
            self.own_namespace, revision, MappingProxyType(dict(by_key)), broken_files
        )


@dataclass(frozen=True, slots=True)
class _File:
    signature: _Signature | None = None
    templates: tuple[Template, ...] = ()
    problems: tuple[Problem, ...] = ()


class FolderSource:
    """Keeps an index of a folder's templates."""

    def __init__(self, folder: Path, *, own_namespace: str, resync_s: float = RESYNC_S) -> None:
        self._folder: Final = folder
        self._resync_s: Final = resync_s
        self._files: Mapping[str, _File] = {}
        self._index = TemplateIndex(own_namespace)

    @property
    def revision(self) -> int:
        """Changes whenever any template does."""
        return self._index.revision

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template that ``ref`` means in ``namespace``, None if there is none."""
        return self._index.find(ref, namespace)

    def entries(self) -> Iterator[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""
        return self._index.entries()

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """Files that cannot be used as they are, with what is wrong."""
        return self._index.broken()

    async def load(self) -> None:
        """Read what has changed since the last time; a broken file keeps its last good version."""
        files, unlisted = await asyncio.to_thread(_read_folder, self._folder, self._files)
        by_key, broken = _indexed(files, self._index.own_namespace)
        known = self._index.broken_files
        self._files = files
        self._index = self._index.succeeded_by(by_key, unlisted + broken)
        for each in self._index.broken_files:
            if each not in known:
                reason = "; ".join(str(problem) for problem in each.problems)
                _log.warning(
                    "a template file is broken", extra={"file": each.file, "reason": reason}
                )

    async def watch(self) -> None:
        """Load again whenever something changes in the folder, until cancelled."""
        told = ""
        while True:
            try:
                await self._watch_this_folder()
            except (OSError, RuntimeError) as error:
                # The folder is gone, or the system has no more watches to give: look, then.
                if str(error) != told:
                    told = str(error)
                    _log.warning("the template folder is not watched", extra={"reason": told})
                await asyncio.sleep(self._resync_s)
                await self.load()

    async def _watch_this_folder(self) -> None:
        identity = await asyncio.to_thread(_identity, self._folder)
        async for _ in awatch(
            self._folder,
            watch_filter=None,
            step=_QUIET_MS,
            rust_timeout=int(self._resync_s * 1_000),
            yield_on_timeout=True,
        ):
            await self.load()
            if await asyncio.to_thread(_identity, self._folder) != identity:
                # Another folder has taken its name; a watch stays with the old one.
                return


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _read_folder(
    folder: Path, before: Mapping[str, _File]
) -> tuple[Mapping[str, _File], tuple[BrokenFile, ...]]:
    try:
        entries = _visible(folder)
    except OSError as error:
        # A folder that cannot be listed says nothing about its files: all stay in force.
        return before, (_unlisted(".", error),)
    broken: list[BrokenFile] = []
    paths: list[str] = []
    for entry in entries:
        if not entry.is_dir():
            paths.append(entry.name)
            continue
        try:
            paths += (f"{entry.name}/{inner.name}" for inner in _visible(folder / entry.name))
        except OSError as error:
            broken.append(_unlisted(entry.name, error))
            paths += (path for path in before if path.startswith(f"{entry.name}/"))
    paths = sorted(path for path in paths if Path(path).suffix in _SYNTAX_BY_SUFFIX)
    if len(paths) > MAX_FILES:
        message = f"holds {len(paths)} files; only the first {MAX_FILES} by name are read"
        broken.append(BrokenFile(".", (Problem("", message),)))
    files = {
        path: _read_again(folder / path, before.get(path, _File())) for path in paths[:MAX_FILES]
    }
    return files, tuple(broken)


def _unlisted(folder: str, error: OSError) -> BrokenFile:
    return BrokenFile(folder, (Problem("", f"cannot be listed: {error.strerror}"),))


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def _read_again(path: Path, before: _File) -> _File:
    try:
        status = path.stat()
        signature = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)
        if signature == before.signature:
            return before
        content = read_regular(path, max_bytes=MAX_BYTES)
        documents = read_documents(content, name=path.name, syntax=_SYNTAX_BY_SUFFIX[path.suffix])
    except OSError as error:
        problem = Problem("", error.strerror or str(error))
        return replace(before, signature=None, problems=(problem,))
    except RequestInvalid as error:
        return replace(before, signature=signature, problems=(Problem("", str(error)),))
    templates, problems = _templates_in(documents)
    if problems:
        return replace(before, signature=signature, problems=problems)
    return _File(signature, templates)


def _templates_in(
    documents: Sequence[Document],
) -> tuple[tuple[Template, ...], tuple[Problem, ...]]:
    templates: list[Template] = []
    problems: list[Problem] = []
    single = [each for document in documents for each in manifests(document)]
    for number, manifest in enumerate(single, start=1):
        if is_of_others(manifest.content):
            continue
        template, found = examine(manifest.content)
        if len(single) > 1:
            found = tuple(_inside(number, problem) for problem in found)
        problems += found
        if template is not None:
            templates.append(template)
    return tuple(templates), tuple(problems)


def _inside(number: int, problem: Problem) -> Problem:
    where = f"document {number}"
    return Problem(f"{where}: {problem.path}" if problem.path else where, problem.message)


def _indexed(
    files: Mapping[str, _File], own_namespace: str
) -> tuple[Mapping[_Key, Template], tuple[BrokenFile, ...]]:
    by_key: dict[_Key, Template] = {}
    owners: dict[_Key, str] = {}
    broken: list[BrokenFile] = []
    for path, file in files.items():
        problems = list(file.problems)
        for template in file.templates:
            key = _key(template, own_namespace)
            if key in by_key:
                message = f"{template.ref} is already defined in {owners[key]}, which is used"
                problems.append(Problem("", message))
            else:
                by_key[key], owners[key] = template, path
        if problems:
            broken.append(BrokenFile(path, tuple(problems)))
    return by_key, tuple(broken)


def _key(template: Template, own_namespace: str) -> _Key:
    if template.kind is Kind.CLUSTER:
        return (template.kind, "", template.name)
    return (template.kind, template.metadata.namespace or own_namespace, template.name)
