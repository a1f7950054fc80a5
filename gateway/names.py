"""Which names Kubernetes allows; what fails here can be no file name with a way out either."""

import re

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_OBJECT_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_SECRET_KEY = re.compile(r"(?!\.\.)(?!\.\Z)[-._a-zA-Z0-9]{1,253}")


def is_namespace(text: str) -> bool:
    """Whether ``text`` can name a namespace: an RFC 1123 label."""
    return _NAMESPACE.fullmatch(text) is not None


def is_object_name(text: str) -> bool:
    """Whether ``text`` can name a template or a secret: an RFC 1123 subdomain."""
    return _OBJECT_NAME.fullmatch(text) is not None


def is_secret_key(text: str) -> bool:
    """Whether ``text`` can be a key of a secret."""
    return _SECRET_KEY.fullmatch(text) is not None
