"""The secrets of connections, read before anything is asked."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gateway.connection_settings import Connection, Reference
from gateway.credentials import SecretSource
from gateway.errors import (
    ClusterUnavailable,
    ProviderError,
    ProviderInvalid,
    ProviderUnreachable,
)
from gateway.gourl import basic_authorization, unsendable_header
from gateway.grants import Grant, Grants
from gateway.references import References
from gateway.secrets import Secret


class Granting:
    """Says who may use which connection, with what."""

    def __init__(
        self, connections: Sequence[Connection], source: SecretSource, own_namespace: str
    ) -> None:
        self._connections: Final = tuple((each, each.upstream) for each in connections)
        self._upstreams: Final = tuple(upstream for _, upstream in self._connections)
        self._references: Final = References(source, own_namespace)

    async def grants(
        self, namespace: str, *, is_brought: bool, may_use: Collection[str] | None = None
    ) -> Grants:
        """For templates of a namespace, or for those that somebody brought.

        ``may_use`` are the names of those that the caller has the right to; None for all.
        A value that cannot be had is told to who uses the connection, and to nobody else.
        """
        refusals = {
            upstream.name: upstream.refusal(namespace, is_brought=is_brought)
            or _lacking(upstream.name, may_use)
            for upstream in self._upstreams
        }
        reading = [
            self._grant(connection)
            for connection, upstream in self._connections
            if not refusals[upstream.name]
        ]
        granted = await asyncio.gather(*reading)
        return Grants(
            {grant.upstream.name: grant for grant in granted},
            {name: refusal for name, refusal in refusals.items() if refusal},
            self._upstreams,
            namespace,
        )

    async def _grant(self, connection: Connection) -> Grant:
        secrets: list[Secret] = []
        try:
            headers = await self._headers(connection, secrets)
        except ClusterUnavailable as error:
            return self._without(connection, ProviderUnreachable(str(error)))
        except ProviderError as error:
            return self._without(connection, error)
        return Grant(connection.upstream, headers, tuple(secrets))

    def _without(self, connection: Connection, error: ProviderError) -> Grant:
        told = type(error)(f"connection {connection.name}: {error}")
        return Grant(connection.upstream, told)

    async def _headers(self, connection: Connection, secrets: list[Secret]) -> Mapping[str, str]:
        headers = {each.name: each.value for each in connection.headers if each.value is not None}
        for each in connection.headers:
            if each.secret is not None:
                headers[each.name] = await self._value(each.secret, secrets)
        if connection.basic_auth is not None:
            password = await self._value(connection.basic_auth.secret, secrets)
            headers["Authorization"] = basic_authorization(connection.basic_auth.username, password)
            secrets.append(Secret(headers["Authorization"].removeprefix("Basic ")))
        if connection.bearer is not None:
            headers["Authorization"] = f"Bearer {await self._token(connection.bearer, secrets)}"
        for name, value in headers.items():
            reason = unsendable_header(name, value)
            if reason:
                raise ProviderInvalid(reason)
        return headers

    async def _token(self, bearer: Reference, secrets: list[Secret]) -> str:
        return _kept(await self._references.read(bearer), secrets)

    async def _value(self, place: str, secrets: list[Secret]) -> str:
        return _kept(await self._references.secret(place), secrets)


def _lacking(name: str, may_use: Collection[str] | None) -> str:
    if may_use is None or name in may_use:
        return ""
    return f"connection {name}: no rule of the policy lets the caller use it (connections)"


def _kept(content: Secret, secrets: list[Secret]) -> str:
    # Files, and Secrets that were made of files, end with a line feed.
    value = content.reveal().rstrip("\r\n")
    if not value:
        raise ProviderInvalid("its secret is empty")
    secrets.append(Secret(value))
    return value
