"""Is a gateway ready, and does it turn away who has no credential?"""

import os
import ssl
import urllib.error
import urllib.request

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


gateway = os.environ["GATEWAY"]
ready = status(os.environ["READY"])
stranger = status(f"{gateway}/v1/templates")
print(f"ready: {ready}; without a credential: {stranger}")
# A gateway that wants certificates closes the connection without a word.
is_refused = stranger == 401 or (isinstance(stranger, OSError) and gateway.startswith("https"))
raise SystemExit(0 if ready == 200 and is_refused else 1)
