"""What is known of the templates of one place in a cluster; nothing here waits or asks."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.bounds import Bounds
from gateway.errors import Problem, TemplateInvalid
from gateway.kube.resources import Object
from gateway.template import Kind, Template, examine
from gateway.wire import API_VERSION

_OF_THE_CLUSTER: Final = frozenset({"metadata", "status"})
"""What Kubernetes writes into an object itself."""
_log: Final = logging.getLogger(__name__)
_Key = tuple[str, str]
"""Namespace, empty for a cluster template, and name."""


@dataclass(frozen=True, slots=True)
class _Known:
    version: str
    """Of the object; the cluster gives a new one whenever anything in it changes."""
    template: Template | None
    """None if it is broken."""
    problems: tuple[Problem, ...] = ()

    def says_the_same_as(self, other: "_Known") -> bool:
        """Whether whoever plans with it would notice no difference."""
        if self.template is None or other.template is None:
            return self.template is other.template and self.problems == other.problems
        return self.template.digest == other.template.digest


class KnownTemplates:
    """The templates of one kind; a broken one is never found as what it was before."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._by_key: dict[_Key, _Known] = {}
        self.revision = 0
        """Changes whenever any template does."""

    def find(self, namespace: str, name: str) -> Template | None:
        """The template of that name, None if there is none.

        Raises:
            TemplateInvalid: it is broken.

        """
        known = self._by_key.get((namespace, name))
        if known is None:
            return None
        if known.template is None:
            where = self._shown((namespace, name))
            raise TemplateInvalid(tuple(_inside(where, each) for each in known.problems))
        return known.template

    def entries(self) -> Iterator[tuple[str, Template]]:
        """Namespace and template, in order."""
        for (namespace, _), known in sorted(self._by_key.items(), key=lambda item: item[0]):
            if known.template is not None:
                yield namespace, known.template

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """Templates that cannot be used, with what is wrong."""
        for key, known in sorted(self._by_key.items(), key=lambda item: item[0]):
            if known.template is None:
                yield self._shown(key), known.problems

    def learn(self, item: Object) -> None:
        """Take an object as it is now; one whose version is known is not looked at again."""
        key = _key(item)
        if key is None:
            return
        before = self._by_key.get(key)
        version = version_of(item)
        if version and before is not None and before.version == version:
            return
        now = _known(self._kind, key, version, item)
        if before is not None and now.says_the_same_as(before):
            self._by_key[key] = replace(before, version=version)
            return
        self._by_key[key] = now
        self.revision += 1
        if now.template is None:
            reason = "; ".join(str(problem) for problem in now.problems)
            keys = {"template": self._shown(key), "reason": reason}
            _log.warning("a template of the cluster is broken", extra=keys)

    def forget(self, item: Object) -> None:
        """Drop an object that is gone."""
        self._drop(_key(item))

    def keep_only(self, items: Iterable[Object]) -> None:
        """Drop all objects that are not among these."""
        for key in self._by_key.keys() - {_key(item) for item in items}:
            self._drop(key)

    def _drop(self, key: _Key | None) -> None:
        if key is not None and self._by_key.pop(key, None) is not None:
            self.revision += 1

    def _shown(self, key: _Key) -> str:
        return f"{self._kind} {'/'.join(filter(None, key))}"


def version_of(item: Object) -> str:
    """The version of an object, empty if it does not say."""
    match item:
        case {"metadata": {"resourceVersion": str(version)}}:
            return version
        case _:
            return ""


def _key(item: Object) -> _Key | None:
    match item:
        case {"metadata": {"name": str(name), "namespace": str(namespace)}}:
            return namespace, name
        case {"metadata": {"name": str(name)}}:
            return "", name
        case _:
            return None


def _known(kind: Kind, key: _Key, version: str, item: Object) -> _Known:
    content = _manifest(kind, key, item)
    try:
        Bounds().admit(content, 0)
    except ValueError as error:
        return _Known(version, None, (Problem("", str(error)),))
    template, problems = examine(content)
    return _Known(version, None if problems else template, problems)


def _manifest(kind: Kind, key: _Key, item: Object) -> Mapping[str, object]:
    """An object as its author might have written it: of the cluster's additions nothing is kept."""
    namespace, name = key
    home = {"namespace": namespace} if namespace else {}
    return {
        **{field: value for field, value in item.items() if field not in _OF_THE_CLUSTER},
        # The items of a list need not say what they are.
        "apiVersion": API_VERSION,
        "kind": str(kind),
        "metadata": {"name": name, **home},
    }


def _inside(where: str, problem: Problem) -> Problem:
    return Problem(f"{where}: {problem.path}" if problem.path else where, problem.message)
