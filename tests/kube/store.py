"""What an emulated API server keeps: objects in kmock's array, their versions, and the history."""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import kmock
from kube.admission import admitted, merged, now
from kube.kinds import KINDS, Kind, Object
from kube.refusals import already_exists, conflict, modified, not_found

_WITH_STATUS: Final = frozenset({"jobs", "pods"})
_FINALIZERS: Final = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
_KEPT: Final = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")


@dataclass(frozen=True)
class Change:
    """One event of the history."""

    version: int
    type: str
    kind: Kind
    object: Object


class Store:
    """Objects that are created, changed and deleted as the API server's registry does it."""

    def __init__(self, objects: kmock.ObjectsArray) -> None:
        self._objects = objects
        self._history: list[Change] = []
        self._news = asyncio.Event()
        self.namespaces = {"default"}
        self.version = 100
        self.oldest = self.version

    def changes(self, since: int) -> list[Change]:
        """What has happened after a version."""
        return [change for change in self._history if change.version > since]

    async def wait(self) -> None:
        """Wait for the next change."""
        await self._news.wait()

    def expire(self) -> None:
        """Forget the history, as after a compaction."""
        self.version += 1
        self.oldest = self.version
        self._history.clear()
        self._tell()

    def all(self, kind: Kind, namespace: str) -> Iterator[Object]:
        """The objects of a namespace, or of all."""
        resource = _resource(kind)
        for (found, where, _), kept in self._objects.items():
            if found == resource and namespace in {"", where} and not kept.deleted:
                yield kept.raw

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object; not to be changed."""
        key = (_resource(kind), namespace or None, name)
        if key not in self._objects or self._objects[key].deleted:
            raise not_found(kind, name)
        return self._objects[key].raw

    def create(self, kind: Kind, namespace: str, manifest: Object) -> Object:
        """Keep a new object."""
        if kind.is_namespaced and namespace not in self.namespaces:
            raise not_found(KINDS["namespaces"], namespace)
        made = admitted(kind, namespace, manifest)
        name = made["metadata"]["name"]
        key = (_resource(kind), namespace or None, name)
        if key not in self._objects:
            # An object without a version yet: kmock keeps the history of a name from here.
            self._objects[key] = []
        elif not self._objects[key].deleted:
            raise already_exists(kind, name)
        return self._commit("ADDED", kind, made)

    def patch(self, kind: Kind, namespace: str, name: str, changes: Object, part: str) -> Object:
        """Change some fields, of the status if ``part`` says so."""
        return self.replace(kind, merged(self.get(kind, namespace, name), changes), part)

    def replace(self, kind: Kind, new: Object, part: str = "") -> Object:
        """Put an object into another's place, or only its status."""
        metadata = new["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        old = self.get(kind, namespace, name)
        if metadata.get("resourceVersion", "") not in {"", old["metadata"]["resourceVersion"]}:
            raise modified(kind, name)
        if metadata.get("uid", uid := old["metadata"]["uid"]) != uid:
            problem = f"UID in precondition: {metadata['uid']}, UID in object meta: {uid}"
            raise conflict(kind, name, f"Precondition failed: {problem}")
        if part == "status":
            next_ = {**old, "status": new.get("status", {})}
        else:
            kept = {key: old["metadata"][key] for key in _KEPT if key in old["metadata"]}
            version = {"resourceVersion": old["metadata"]["resourceVersion"]}
            next_ = {**new, "metadata": {**metadata, **kept, **version}}
            if kind.plural in _WITH_STATUS:
                next_["status"] = old["status"]
        if next_ == old:
            return old
        return self._commit(_change_to(next_), kind, next_)

    def delete(self, kind: Kind, namespace: str, name: str, options: Object) -> Object | None:
        """Delete an object; what stays of it until its finalizers are gone, or nothing."""
        old = self.get(kind, namespace, name)
        wanted = options.get("preconditions", {}).get("uid", old["metadata"]["uid"])
        if wanted != old["metadata"]["uid"]:
            raise conflict(
                Kind(kind.group, kind.version, kind.kind, kind.kind),
                name,
                f"the UID in the precondition ({wanted}) does not match the UID in record"
                f" ({old['metadata']['uid']}). The object might have been deleted and then"
                " recreated",
            )
        finalizers = [*old["metadata"].get("finalizers", []), *_finalizer(kind, options)]
        if not finalizers:
            self._commit("DELETED", kind, old)
            return None
        deletion = {"deletionTimestamp": now(), "deletionGracePeriodSeconds": 0}
        metadata = {**deletion, **old["metadata"], "finalizers": sorted(set(finalizers))}
        marked = {**old, "metadata": metadata}
        return old if marked == old else self._commit("MODIFIED", kind, marked)

    def _commit(self, type_: str, kind: Kind, new: Object) -> Object:
        self.version += 1
        new = copy.deepcopy(new)
        new["metadata"]["resourceVersion"] = str(self.version)
        metadata = new["metadata"]
        kept = self._objects[_resource(kind), metadata.get("namespace"), metadata["name"]]
        kept.history.append(new)
        if type_ == "DELETED":
            kept.delete()
        self._history.append(Change(self.version, type_, kind, new))
        self._tell()
        return new

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _resource(kind: Kind) -> kmock.resource:
    return kmock.resource(kind.group, kind.version, kind.plural)


def _change_to(new: Object) -> str:
    metadata = new["metadata"]
    is_gone = "deletionTimestamp" in metadata and not metadata.get("finalizers")
    return "DELETED" if is_gone else "MODIFIED"


def _finalizer(kind: Kind, options: Object) -> list[str]:
    if kind.plural != "jobs":
        return []
    # Unlike other kinds, batch/v1 leaves the dependents alone unless told otherwise:
    # kubernetes pkg/registry/batch/job/strategy.go:62-71 @ v1.34.4.
    policy = options.get("propagationPolicy") or "Orphan"
    return [_FINALIZERS[policy]] if policy in _FINALIZERS else []
