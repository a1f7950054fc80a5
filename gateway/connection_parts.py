"""The clients of named upstreams."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from gateway.connection_settings import Connection
from gateway.connection_tls import ConnectionTls
from gateway.connections import Upstream
from gateway.egress import EVERYTHING, EgressPolicy, Redirects
from gateway.errors import EgressRefused
from gateway.gourl import Url
from gateway.hosts import HostPattern
from gateway.http_client import HttpClient
from gateway.provider import Http
from gateway.settings import Limits, Settings


class UpstreamPolicy(EgressPolicy):
    """Lets requests go to one upstream, and follows redirects that stay with it.

    The address is the operator's: it needs no rule, but what no rule can allow stays refused.
    """

    def __init__(self, upstream: Upstream) -> None:
        scheme, host, port = upstream.base.place
        rule = replace(
            EVERYTHING,
            name=upstream.name,
            hosts=(HostPattern(host),),
            schemes=frozenset({scheme}),
            ports=(range(port, port + 1),),
        )
        super().__init__(f"connection {upstream.name}", (rule,), Redirects.SAME_ORIGIN)
        self._base = upstream.base

    def check_redirect(self, url: Url, to: Url) -> None:
        """Refuse a redirect that leaves the base URL.

        Raises:
            EgressRefused: it does.

        """
        super().check_redirect(url, to)
        if not self._base.holds(to):
            raise EgressRefused(f"egress: it redirects out of the url of {self.name}")


def own_connections(settings: Settings) -> tuple[Connection, ...]:
    """For who runs the process, and so brings what is theirs."""
    return tuple(each.model_copy(update={"templates": "all"}) for each in settings.connections)


async def open_upstreams(
    connections: Sequence[Connection], limits: Limits, parts: AsyncExitStack
) -> Mapping[str, Http]:
    """A client for each connection, by its name; closed with ``parts``.

    Raises:
        SettingsInvalid: the files of TLS cannot be used.

    """
    return {
        each.name: await parts.enter_async_context(_client(each, limits)) for each in connections
    }


def _client(connection: Connection, limits: Limits) -> HttpClient:
    is_tls = connection.upstream.base.place[0] == "https"
    return HttpClient(
        UpstreamPolicy(connection.upstream),
        max_body_bytes=limits.response_bytes,
        connections_per_host=limits.connections_per_host,
        tls_context=ConnectionTls(connection).context if is_tls else None,
    )
