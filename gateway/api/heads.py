"""What the head of a request alone gets refused for, before anybody looks at its path or body."""

from typing import Final

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web

from gateway.api.problems import RequestRefused

_VERSIONS: Final = (HttpVersion11, HttpVersion10)


def refuse_head(request: web.BaseRequest, max_body_bytes: int) -> None:
    """Let nobody send what would not be read.

    Raises:
        RequestRefused: 400, 413 or 415.

    """
    if request.version not in _VERSIONS:
        raise RequestRefused(400, "the gateway speaks HTTP/1.1 and HTTP/1.0, and no other version")
    headers = request.headers
    if request.body_exists:
        if (request.content_length or 0) > max_body_bytes:
            raise too_large(max_body_bytes)
        coding = headers.get(hdrs.TRANSFER_ENCODING, "chunked")
        if hdrs.CONTENT_ENCODING in headers or coding.lower() != "chunked":
            raise RequestRefused(415, "compressed bodies are not read here; send it as it is")
    # HTTP's own status for this would be 417, which says here that a verdict is Failed.
    expected = headers.get(hdrs.EXPECT, "100-continue")
    if expected.lower() != "100-continue":
        raise RequestRefused(400, "Expect can be 100-continue and nothing else")


def too_large(max_body_bytes: int) -> RequestRefused:
    """The refusal of a body beyond the limit."""
    return RequestRefused(
        413, f"the body is larger than {max_body_bytes} bytes (limits.requestBytes)"
    )
