"""What containers have printed, and the part of a kubelet that hands it out."""

from collections.abc import Mapping

from aiohttp import web
from kube.listener import Listener

_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class LogUnavailable(Exception):
    """A container that has not started has no log."""


class PodLogs:
    """The logs of all containers of a node."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str, str], str] = {}
        self._reasons: dict[tuple[str, str, str], str] = {}

    def write(self, namespace: str, pod: str, container: str, text: str) -> None:
        """A container has started and printed this, all in all."""
        self._texts[namespace, pod, container] = text

    def wait(self, namespace: str, pod: str, container: str, reason: str) -> None:
        """A container waits, for a reason."""
        self._reasons[namespace, pod, container] = reason

    def read(self, namespace: str, pod: str, container: str) -> bytes:
        """What a container has printed.

        Raises:
            LogUnavailable: It has not started.

        """
        text = self._texts.get((namespace, pod, container))
        if text is not None:
            return text.encode()
        reason = self._reasons.get((namespace, pod, container))
        what = f'container "{container}" in pod "{pod}"'
        if reason is None:
            raise LogUnavailable(f"{what} is not available")
        raise LogUnavailable(f"{what} is waiting to start: {_WAITING.get(reason, reason)}")


def cut(text: bytes, params: Mapping[str, str]) -> bytes:
    """The end of a log, ``tailLines`` long, and of that the first ``limitBytes``."""
    if "tailLines" in params:
        lines = text.splitlines(keepends=True)
        text = b"".join(lines[max(len(lines) - int(params["tailLines"]), 0) :])
    return text[: int(params["limitBytes"])] if "limitBytes" in params else text


class LogServer:
    """The endpoint of a kubelet at which the API server asks for logs."""

    def __init__(self, logs: PodLogs) -> None:
        self._logs = logs
        self._listener = Listener(self._answer)

    async def open(self) -> int:
        """Listen; the port."""
        await self._listener.open()
        return self._listener.port

    async def close(self) -> None:
        """Listen no more."""
        await self._listener.close()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        # /containerLogs/{namespace}/{pod}/{container}
        namespace, pod, container = request.path.split("/")[2:]
        try:
            text = self._logs.read(namespace, pod, container)
        except LogUnavailable as problem:
            return web.Response(status=400, text=str(problem))
        return web.Response(body=cut(text, request.query), content_type="text/plain")
