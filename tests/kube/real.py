"""A real kube-apiserver as a backend, our own or a foreign one."""

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from kube.access import Access
from kube.api_server import ApiServer
from kube.client import ApiError, Client
from kube.kinds import KINDS, Object, Right
from kube.logs import LogServer, PodLogs
from kube.polling import until
from kube.statuses import node_of
from kube.wire import Gone

_CRDS = Path(__file__).parent / "crds.yaml"
_MANAGER = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Foreign:
    """An API server that somebody else runs on this machine, without controllers."""

    kind = "kube-apiserver"
    can_be_hurt = False
    can_rotate = False

    def __init__(self, access: Access) -> None:
        self.logs = PodLogs()
        self._access = access
        self._log_server = LogServer(self.logs)
        self._node = f"node-{secrets.token_hex(4)}"
        self._namespaces: list[str] = []
        self._accounts: list[str] = []

    async def open(self) -> Access:
        """It runs already."""
        return self._access

    async def close(self) -> None:
        """Stop to hand out logs."""
        await self._log_server.close()

    async def join(self, client: Client) -> str:
        """Define what templates are, and give the node its endpoint."""
        await _see_no_controllers(client)
        await _define_templates(client)
        node = node_of(self._node, await self._log_server.open())
        await client.json("POST", KINDS["nodes"].path(), node)
        return self._node

    async def leave(self, client: Client) -> None:
        """Take away what the test has made, as far as that goes without controllers."""
        await client.json("DELETE", KINDS["nodes"].path(name=self._node))
        for name in self._namespaces:
            await client.json("DELETE", KINDS["namespaces"].path(name=name))
        for name in self._accounts:
            path = KINDS["serviceaccounts"].path("default", name)
            await client.json("DELETE", path)

    async def add_namespace(self, client: Client, name: str) -> None:
        """Create it."""
        await client.json("POST", KINDS["namespaces"].path(), {"metadata": {"name": name}})
        self._namespaces.append(name)

    async def issue(self, client: Client, rights: Sequence[Right]) -> str:
        """The token of a new service account, once its rights have come into force."""
        name = f"user-{secrets.token_hex(3)}"
        accounts = KINDS["serviceaccounts"]
        await client.json("POST", accounts.path("default"), {"metadata": {"name": name}})
        self._accounts.append(name)
        for number, right in enumerate(rights):
            await _grant(client, right, name, f"{name}-{number}")
        for right in rights:
            await until(partial(_is_allowed, client, right, name))
        spec = {"spec": {"expirationSeconds": 3600}}
        answer = await client.json("POST", accounts.path("default", name, "token"), spec)
        token: str = answer["status"]["token"]
        return token

    async def revoke(self, token: str) -> None:
        """Tokens are cached for ten seconds: no test should wait so long."""
        raise NotImplementedError

    async def freeze(self) -> None:
        """It is not ours."""
        raise NotImplementedError

    async def thaw(self) -> None:
        """It has never been frozen."""

    async def stop(self) -> None:
        """It is not ours."""
        raise NotImplementedError

    async def start(self) -> None:
        """It has never been stopped."""

    async def expire_history(self, client: Client, gone: Gone) -> None:
        """It is not ours."""
        raise NotImplementedError


class Real(Foreign):
    """Our own API server, shared by the tests of a session."""

    can_be_hurt = True

    def __init__(self, server: ApiServer) -> None:
        super().__init__(server.access)
        self._server = server

    async def open(self) -> Access:
        """Start it, unless an earlier test did."""
        await self.start()
        return await super().open()

    async def freeze(self) -> None:
        """Stop the process by a signal."""
        self._server.freeze()

    async def thaw(self) -> None:
        """Let the process go on."""
        self._server.thaw()

    async def stop(self) -> None:
        """Kill the process; etcd lives."""
        self._server.stop()

    async def start(self) -> None:
        """Start the process, on the same port as before."""
        self._server.launch()
        await asyncio.to_thread(self._server.wait)

    async def expire_history(self, client: Client, gone: Gone) -> None:
        """Start it anew: its memory of events begins then, and the answer is its own choice."""
        del gone
        # The version must be past all that clients know.
        path = KINDS["secrets"].path("default")
        await client.json("POST", path, {"metadata": {"generateName": "later-"}})
        await self.stop()
        await self.start()


async def _see_no_controllers(client: Client) -> None:
    try:
        await client.json("GET", _MANAGER)
    except ApiError as error:
        assert error.status == HTTPStatus.NOT_FOUND, error
    else:
        raise AssertionError("this cluster has a controller manager, with which we would fight")


async def _define_templates(client: Client) -> None:
    definitions = KINDS["customresourcedefinitions"]
    for definition in yaml.safe_load_all(_CRDS.read_text()):
        try:
            await client.json("POST", definitions.path(), definition)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
    for plural in ("analysistemplates", "clusteranalysistemplates"):
        await until(partial(_is_served, client, plural))


async def _is_served(client: Client, plural: str) -> bool:
    try:
        await client.json("GET", KINDS[plural].path())
    except ApiError as error:
        # While it is being installed it is unknown at first, and then has no storage.
        assert error.status in {404, 429, 503}, error
        return False
    return True


async def _grant(client: Client, right: Right, account: str, name: str) -> None:
    # What is of no namespace, such as a review, is granted as what is of all of them.
    is_everywhere = right.namespace in {"", "*"}
    role, binding = (
        ("clusterroles", "clusterrolebindings") if is_everywhere else ("roles", "rolebindings")
    )
    namespace = "" if is_everywhere else right.namespace
    rule = {"verbs": [right.verb], "apiGroups": [right.group], "resources": [right.resource]}
    metadata = {"metadata": {"name": name}}
    reference = {"apiGroup": KINDS[role].group, "kind": KINDS[role].kind, "name": name}
    subject = {"kind": "ServiceAccount", "namespace": "default", "name": account}
    bound: Object = {**metadata, "roleRef": reference, "subjects": [subject]}
    await client.json("POST", KINDS[role].path(namespace), {**metadata, "rules": [rule]})
    await client.json("POST", KINDS[binding].path(namespace), bound)


async def _is_allowed(client: Client, right: Right, account: str) -> bool:
    resource, _, subresource = right.resource.partition("/")
    asked: dict[str, Any] = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": "" if right.namespace == "*" else right.namespace,
    }
    user = f"system:serviceaccount:default:{account}"
    review = {"spec": {"user": user, "resourceAttributes": asked}}
    answer = await client.json("POST", _REVIEWS, review)
    return bool(answer["status"]["allowed"])
