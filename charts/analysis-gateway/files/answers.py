"""Is a gateway ready, and does it turn away who has no credential?"""

import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

PAUSE_S = 1.0
# Nothing is sent that is secret.
TRUSTING = ssl._create_unverified_context()


def status(url: str) -> int | OSError:
    """The status of an answer, or why there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=TRUSTING) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return error


def is_closed_after_tls(url: str) -> bool:
    """Whether TLS is agreed on, and the connection then closed without an answer."""
    place = urlsplit(url)
    request = f"GET /v1/templates HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n"
    try:
        plain = socket.create_connection((place.hostname, place.port), timeout=5)
        connection = TRUSTING.wrap_socket(plain, server_hostname=place.hostname)
    except OSError:
        return False
    with connection:
        try:
            connection.sendall(request.encode())
            return connection.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return True
        except OSError:
            return False


def is_good(gateway: str, ready: str, *, wants_certificates: bool) -> bool:
    """Whether it is ready, and a stranger is turned away."""
    health = status(ready)
    stranger = status(f"{gateway}/v1/templates")
    print(f"ready: {health}; without a credential: {stranger}", flush=True)
    # A gateway that wants certificates closes the connection without a word.
    is_refused = stranger == 401 or (wants_certificates and is_closed_after_tls(gateway))
    return health == 200 and is_refused


def is_good_in_time(patience_s: float) -> bool:
    """The same, of a gateway that may still be starting."""
    end_s = time.monotonic() + patience_s
    while not is_good(
        os.environ["GATEWAY"],
        os.environ["READY"],
        wants_certificates=os.environ["CERTIFICATES"] == "required",
    ):
        if time.monotonic() >= end_s:
            return False
        time.sleep(PAUSE_S)
    return True


raise SystemExit(0 if is_good_in_time(float(os.environ["PATIENCE_S"])) else 1)
