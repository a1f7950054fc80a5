"""kmock's emulator, made exact at the wire for what the gateway and its tests use.

Parsing, recording, reactions that tests script, and rendering are kmock's; the answers follow
kube-apiserver v1.34.4, from which the texts were copied.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from enum import Enum, auto
from typing import Any, Final

import attrs
import kmock
from aiohttp import web
from kube.door import Door
from kube.kinds import KINDS, Kind, Object
from kube.logs import LogUnavailable, PodLogs, cut
from kube.refusals import bad_request, expired, status_of
from kube.selectors import Selector, listed
from kube.store import Change, Store

_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_JSON: Final = "application/json"
_HEALTH: Final = frozenset({"/readyz", "/livez", "/healthz"})


class Gone(Enum):
    """How a watch learns that its version is too old."""

    AS_EVENT = auto()
    """By an ERROR event in a stream that begins well."""
    AS_STATUS = auto()
    """By a plain answer with status 410."""


@attrs.define(kw_only=True)
class Wire(kmock.KubernetesEmulator):
    """An API server in this process."""

    door: Door = attrs.field(factory=Door)
    logs: PodLogs = attrs.field(factory=PodLogs)
    gone: Gone = Gone.AS_EVENT
    flows: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Unset while the server is frozen."""
    store: Store = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        # Not the parent's: its fallbacks are what we answer ourselves.
        self.store = Store(self.objects)
        self.flows.set()

    async def _handle(self, request: kmock.Request) -> web.StreamResponse:
        await self.flows.wait()
        if self._payloads:
            try:
                return await kmock.RawHandler._handle(self, request)
            except NotImplementedError:
                pass
        status, payload = self._answer(request)
        # Clients compare the whole header: no charset.
        type_ = "text/plain" if isinstance(payload, bytes) else _JSON
        headers = {"Content-Type": type_}
        answer = await kmock.Response(status=status, payload=payload, headers=headers)(request)
        await self.flows.wait()
        return answer

    async def _render_error(self, exc: Exception) -> web.StreamResponse:
        if isinstance(exc, kmock.KubernetesError):
            body = json.dumps(status_of(exc)).encode()
            return web.Response(body=body, status=exc.status, content_type=_JSON)
        return await kmock.KubernetesEmulator._render_error(self, exc)

    def _answer(self, request: kmock.Request) -> tuple[int, Any]:
        if request.url.path in _HEALTH:
            return 200, b"ok"
        kind = KINDS.get((request.resource and request.resource.plural) or "")
        if kind is None or not request.url.path.startswith(kind.path()[: -len(kind.plural)]):
            return 404, b"404 page not found\n"
        namespace, name, part = (
            value or "" for value in (request.namespace, request.name, request.subresource)
        )
        is_watch = request.params.get("watch") in {"true", "1"}
        reading = "watch" if is_watch else "get" if name else "list"
        verb = _VERBS.get(request.method.value, reading)
        self.door.check(
            request.headers, verb, kind, namespace=namespace, name=name, subresource=part
        )
        match verb:
            case "create":
                return 201, self._create(kind, namespace, request.data)
            case "update":
                return 200, self.store.replace(kind, request.data, part)
            case "patch":
                return 200, self.store.patch(kind, namespace, name, request.data, part)
            case "delete":
                return 200, self._delete(request, kind)
            case "watch":
                return 200, self._watch(request, kind)
            case "list":
                return 200, self._list(request, kind)
            case _ if part == "log":
                return 200, self._log(request)
            case _:
                return 200, self.store.get(kind, namespace, name)

    def _create(self, kind: Kind, namespace: str, manifest: Object) -> Object:
        if kind.plural == "tokenreviews":
            return {**manifest, "status": self.door.reviewed(manifest["spec"])}
        return self.store.create(kind, namespace, manifest)

    def _list(self, request: kmock.Request, kind: Kind) -> Object:
        selector = Selector.of(request.params)
        found = self.store.all(kind, request.namespace or "")
        return {
            "kind": f"{kind.kind}List",
            "apiVersion": kind.api_version,
            "metadata": {"resourceVersion": str(self.store.version)},
            "items": [listed(kind, item) for item in found if selector.fits(item)],
        }

    def _delete(self, request: kmock.Request, kind: Kind) -> Object:
        options = {**(request.data or {}), **request.params}
        name = request.name or ""
        left = self.store.delete(kind, request.namespace or "", name, options)
        return left or {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {"name": name, "group": kind.group, "kind": kind.plural},
        }

    async def _watch(self, request: kmock.Request, kind: Kind) -> AsyncIterator[Any]:
        since = int(request.params.get("resourceVersion") or 0)
        if 0 < since < self.store.oldest and self.gone is Gone.AS_STATUS:
            raise expired(since, self.store.oldest)
        yield b""
        selector, namespace = Selector.of(request.params), request.namespace or ""
        if since == 0:
            since = self.store.version
            for found in list(self.store.all(kind, namespace)):
                if selector.fits(found):
                    yield {"type": "ADDED", "object": found}
        async for change in self._changes(since, request.params.get("timeoutSeconds")):
            since = change.version
            if _concerns(change, kind, namespace) and selector.fits(change.object):
                yield {"type": change.type, "object": change.object}
        if since < self.store.oldest and self.gone is Gone.AS_EVENT:
            yield {"type": "ERROR", "object": status_of(expired(since, self.store.oldest))}

    async def _changes(self, since: int, timeout_s: str | None) -> AsyncIterator[Change]:
        """What happens after a version, until the time is over or the version expires."""
        ends_at = asyncio.get_running_loop().time() + float(timeout_s or 1800)
        while since >= self.store.oldest:
            changes = self.store.changes(since)
            for change in changes:
                await self.flows.wait()
                since = change.version
                yield change
            if changes:
                continue  # more may have come while these went out
            try:
                async with asyncio.timeout_at(ends_at):
                    await self.store.wait()
            except TimeoutError:
                return
            await self.flows.wait()

    def _log(self, request: kmock.Request) -> bytes:
        namespace, name = request.namespace or "", request.name or ""
        pod = self.store.get(KINDS["pods"], namespace, name)
        containers = [
            container["name"]
            for part in ("initContainers", "containers")
            for container in pod["spec"].get(part, [])
        ]
        wanted = request.params.get("container", "")
        if not wanted and len(pod["spec"]["containers"]) > 1:
            listing = f"choose one of: [{' '.join(containers)}]"
            raise bad_request(f"a container name must be specified for pod {name}, {listing}")
        container = wanted or pod["spec"]["containers"][0]["name"]
        if container not in containers:
            raise bad_request(f"container {container} is not valid for pod {name}")
        try:
            return cut(self.logs.read(namespace, name, container), request.params)
        except LogUnavailable as problem:
            raise bad_request(str(problem)) from problem


def _concerns(change: Change, kind: Kind, namespace: str) -> bool:
    where = change.object["metadata"].get("namespace", "")
    return change.kind == kind and namespace in {"", where}
