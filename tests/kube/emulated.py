"""kmock as a backend: an API server in the loop of the test."""

import secrets
from collections.abc import Sequence

from kube.access import Access, own_authority
from kube.client import Client
from kube.door import User
from kube.kinds import EVERYTHING, Right
from kube.listener import Listener
from kube.logs import PodLogs
from kube.wire import Gone, Wire

_ADMIN_TOKEN = "token-of-the-admin"


class Emulated:
    """A fresh kmock that listens on a port of its own."""

    kind = "kmock"
    can_be_hurt = True
    can_rotate = True

    def __init__(self) -> None:
        self.logs = PodLogs()
        self.wire = Wire(logs=self.logs)
        self.wire.door.users[_ADMIN_TOKEN] = User("admin", EVERYTHING)
        self._listener = Listener(self.wire)

    async def open(self) -> Access:
        """Listen."""
        await self.wire.__aenter__()
        await self.start()
        return Access(f"https://127.0.0.1:{self._listener.port}", own_authority(), _ADMIN_TOKEN)

    async def close(self) -> None:
        """Close all connections."""
        await self.stop()
        await self.wire.__aexit__(None, None, None)

    async def join(self, client: Client) -> str:
        """There are no nodes: logs come without a detour."""
        del client
        return "node"

    async def leave(self, client: Client) -> None:
        """There is nothing to take away."""

    async def add_namespace(self, client: Client, name: str) -> None:
        """Let objects be created in it."""
        del client
        self.wire.store.namespaces.add(name)

    async def issue(self, client: Client, rights: Sequence[Right]) -> str:
        """A row in the table of tokens."""
        del client
        token = secrets.token_hex(16)
        user = User(f"system:serviceaccount:default:user-{secrets.token_hex(3)}", rights)
        self.wire.door.users[token] = user
        return token

    async def revoke(self, token: str) -> None:
        """Take the row out."""
        del self.wire.door.users[token]

    async def freeze(self) -> None:
        """Connections are accepted, and that is all."""
        self.wire.flows.clear()

    async def thaw(self) -> None:
        """Answer what has been asked meanwhile."""
        self.wire.flows.set()

    async def stop(self) -> None:
        """Close the port and all connections; the objects stay."""
        await self._listener.close()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        await self._listener.open()

    async def expire_history(self, client: Client, gone: Gone) -> None:
        """Forget the history; open streams end, and older versions are gone."""
        del client
        self.wire.gone = gone
        self.wire.store.expire()
