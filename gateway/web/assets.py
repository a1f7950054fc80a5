"""Scripts and styles of the pages: read once, packed once, and kept by browsers for good.

Their address has a hash of all of them: another version of the gateway has other addresses.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Final

from aiohttp import hdrs, web

from gateway.api.problems import RequestRefused

_TYPES: Final[Mapping[str, str]] = {
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file."""

    data: bytes
    packed: bytes
    content_type: str


class Assets:
    """``/static``."""

    def routes(self) -> list[web.RouteDef]:
        """The paths that this resource answers."""
        return [web.get("/static/{version}/{name}", self.read)]

    async def read(self, request: web.Request) -> web.Response:
        """A file. Whoever asks for that of another version gets this one's, for now."""
        asset = self._files.get(request.match_info["name"])
        if asset is None:
            raise RequestRefused(404, "there is no such file")
        is_current = request.match_info["version"] == self.version
        is_packed = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        headers = {
            "Cache-Control": _FOR_GOOD if is_current else "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if is_packed else {}),
        }
        return web.Response(
            body=asset.packed if is_packed else asset.data,
            content_type=asset.content_type,
            charset="utf-8",
            headers=headers,
        )

    @cached_property
    def version(self) -> str:
        """What the address of every file has in it."""
        digest = hashlib.sha256()
        for name, asset in sorted(self._files.items()):
            digest.update(name.encode() + asset.data)
        return digest.hexdigest()[:12]

    @cached_property
    def _files(self) -> Mapping[str, Asset]:
        folder = files("gateway.web") / "static"
        found = {}
        for file in (*folder.iterdir(), *(folder / "vendor").iterdir()):
            content_type = _TYPES.get(file.name.rpartition(".")[2])
            if content_type is not None:
                data = file.read_bytes()
                found[file.name] = Asset(data, gzip.compress(data, mtime=0), content_type)
        return found
