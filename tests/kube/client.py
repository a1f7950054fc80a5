"""A plain client of the Kubernetes API: paths and JSON, nothing clever between."""

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import aiohttp
from kube.access import Access
from kube.kinds import Object

MERGE: Final = "application/merge-patch+json"
_STREAM: Final = aiohttp.ClientTimeout(total=None)


class ApiError(Exception):
    """A refusal, with what its ``Status`` says."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Client:
    """Someone who speaks to an API server; to be closed."""

    def __init__(self, access: Access) -> None:
        headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
        # Logs and templates may be long lines.
        self._session = aiohttp.ClientSession(
            access.url,
            headers=headers,
            connector=aiohttp.TCPConnector(ssl=access.tls()),
            timeout=aiohttp.ClientTimeout(total=30),
            read_bufsize=1 << 22,
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    async def text(self, method: str, path: str, **options: Any) -> str:
        """The body of an answer.

        Raises:
            ApiError: The server refuses.

        """
        async with self._session.request(method, path, **options) as response:
            body = await response.text()
            if response.status >= 400:
                raise refusal(response.status, body)
            return body

    async def json(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """The object of an answer.

        Raises:
            ApiError: The server refuses.

        """
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        text = await self.text(method, path, data=data, headers=headers, params=params)
        answer: Object = json.loads(text)
        return answer

    async def watch(self, path: str, **params: str) -> AsyncGenerator[Object, None]:
        """The events of a watch until the server ends it; an ERROR event is one of them.

        Raises:
            ApiError: The server refuses to begin.

        """
        query = {"watch": "true", **params}
        async with self._session.get(path, params=query, timeout=_STREAM) as response:
            if response.status >= 400:
                raise refusal(response.status, await response.text())
            async for line in response.content:
                yield json.loads(line)


def refusal(code: int, body: str) -> ApiError:
    """The error that a body tells of."""
    try:
        status = json.loads(body)
    except ValueError:
        status = {}
    return ApiError(code, status.get("reason", ""), status.get("message", body))
