"""Where notices go: one request, under a policy that lets it reach its receiver and nobody else."""

from typing import Final

from gateway.connection_settings import Reference
from gateway.egress import EgressPolicy, Redirects, only
from gateway.errors import GatewayError, ProviderError
from gateway.gourl import host_and_port, parse_url
from gateway.hosts import read_host
from gateway.http_client import HttpClient
from gateway.notices import Notice, body_of, headers_of, signature_headers
from gateway.notification_settings import Notification
from gateway.provider import Clock, HttpRequest, NoAnswer
from gateway.references import References
from gateway.secrets import Redaction, Secret

_MAX_ANSWER_BYTES: Final = 64 * 1024
_OK: Final = range(200, 300)


class Undelivered(Exception):
    """An attempt failed; the text says why, without secrets."""


class Receiver:
    """One receiver. Open it inside the event loop that uses it."""

    def __init__(
        self,
        notification: Notification,
        references: References,
        now_unix_s: Clock,
    ) -> None:
        self.notification: Final = notification
        self._references = references
        self._now_unix_s = now_unix_s
        self._clients: dict[tuple[str, str, int], HttpClient] = {}

    async def send(self, notice: Notice) -> None:
        """Send a notice. Raises Undelivered."""
        try:
            url = await self._url()
            key = await self._read(self.notification.signing_from)
        except (GatewayError, ValueError, OSError) as error:
            raise Undelivered(str(error)) from None
        try:
            status = await self._post(url.reveal(), key, notice)
        except NoAnswer as error:
            raise Undelivered(error.cause) from None
        except (GatewayError, ValueError) as error:
            # What is wrong with a URL is told with the URL.
            told = Redaction((url, *(() if key is None else (key,)))).text(str(error))
            raise Undelivered(told) from None
        if status not in _OK:
            raise Undelivered(f"the receiver answered {status}")

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.close()

    async def _post(self, url: str, key: Secret | None, notice: Notice) -> int:
        form = self.notification.format
        body = body_of(notice, form)
        headers = headers_of(notice, form)
        if key is not None:
            headers |= signature_headers(key, notice.id, body, self._now_unix_s())
        request = HttpRequest("POST", url, headers, body)
        client = self._client(url)
        response = await client.send(request, timeout_s=self.notification.timeout_s)
        return response.status

    def _client(self, url: str) -> HttpClient:
        parsed = parse_url(url)
        place = (parsed.scheme, *host_and_port(parsed))
        if place not in self._clients:
            self._clients[place] = HttpClient(
                _policy(self.notification.name, *place), max_body_bytes=_MAX_ANSWER_BYTES
            )
        return self._clients[place]

    async def _url(self) -> Secret:
        if self.notification.url is not None:
            return Secret(self.notification.url)
        found = await self._read(self.notification.url_from)
        text = "" if found is None else found.reveal().strip()
        if not text.startswith(("https://", "http://")):
            raise ProviderError("what urlFrom holds is no URL that begins with https:// or http://")
        return Secret(text)

    async def _read(self, reference: Reference | None) -> Secret | None:
        return None if reference is None else await self._references.read(reference)


def _policy(name: str, scheme: str, host: str, port: int) -> EgressPolicy:
    rule = only(name, scheme, read_host(host), port)
    return EgressPolicy(f"notification {name}", (rule,), Redirects.NONE)
