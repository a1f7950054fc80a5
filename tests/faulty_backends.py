"""The vendors of ``gateway.testing`` that misbehave."""

from gateway.testing import BACKENDS

__all__ = ["BACKENDS"]
