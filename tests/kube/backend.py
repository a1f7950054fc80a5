"""What a cluster of tests stands on: the part that differs between the kinds."""

from collections.abc import Sequence
from typing import Protocol

from kube.access import Access
from kube.client import Client
from kube.kinds import Right
from kube.logs import PodLogs
from kube.wire import Gone


class Backend(Protocol):
    """An API server and what can be done to it from outside."""

    kind: str
    can_be_hurt: bool
    can_rotate: bool
    logs: PodLogs

    async def open(self) -> Access:
        """See that it runs; how an admin reaches it."""

    async def close(self) -> None:
        """Leave it as the next test wants it."""

    async def join(self, client: Client) -> str:
        """Let the stand-in for the kubelet join, as an admin; the node's name."""

    async def leave(self, client: Client) -> None:
        """Take the node away."""

    async def add_namespace(self, client: Client, name: str) -> None:
        """Make a namespace."""

    async def issue(self, client: Client, rights: Sequence[Right]) -> str:
        """The token of a new user."""

    async def revoke(self, token: str) -> None:
        """Make a token worthless."""

    async def freeze(self) -> None:
        """Let it answer nothing."""

    async def thaw(self) -> None:
        """Let it go on."""

    async def stop(self) -> None:
        """Kill it."""

    async def start(self) -> None:
        """Bring it back with its data."""

    async def expire_history(self, client: Client, gone: Gone) -> None:
        """Let it forget what has happened."""
