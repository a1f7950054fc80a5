"""Is a gateway ready, and does it turn away who has no credential?"""

import os
import ssl
import urllib.error
import urllib.request

trusting = ssl._create_unverified_context()  # noqa: S323, SLF001 - nothing is sent that is secret


def status(url: str) -> object:
    """The status of an answer, or why there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=trusting) as answer:  # noqa: S310 - ours
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return error


ready, open_to_all = status(os.environ["READY"]), status(os.environ["GATEWAY"] + "/v1/templates")
print(f"readyz: {ready}; /v1/templates without a credential: {open_to_all}")  # noqa: T201 - its answer
# A gateway that wants certificates closes the connection without a word.
is_shut = open_to_all == 401 or (isinstance(open_to_all, OSError) and "https" in os.environ["GATEWAY"])  # noqa: PLR2004 - a status
raise SystemExit(0 if ready == 200 and is_shut else 1)  # noqa: PLR2004 - the same
