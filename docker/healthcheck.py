"""Ends with 0 if the gateway answers ``/healthz``; ``HEALTH_URL`` says where it is."""

import os
import sys
import urllib.request

DEFAULT_URL = "http://127.0.0.1:8080/healthz"

try:
    with urllib.request.urlopen(os.environ.get("HEALTH_URL", DEFAULT_URL), timeout=2):  # noqa: S310 - the deployer's own
        pass
except OSError as error:
    sys.exit(f"not healthy: {error}")
