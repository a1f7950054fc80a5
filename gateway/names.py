"""Which names Kubernetes allows; what fails here can be no file name with a way out either."""

import re

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_OBJECT_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_LABEL_WORD = r"[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(rf"(?:(?=[^/]{{1,253}}/){_LABEL}(?:\.{_LABEL})*/)?{_LABEL_WORD}")
_LABEL_VALUE = re.compile(rf"(?:{_LABEL_WORD})?")
_SECRET_KEY = re.compile(r"(?!\.\.)(?!\.\Z)[-._a-zA-Z0-9]{1,253}")
_PLUGIN = re.compile(r"[a-zA-Z0-9-]+/[a-zA-Z0-9_.-]+")


def is_namespace(text: str) -> bool:
    """Whether ``text`` can name a namespace: an RFC 1123 label."""
    return _NAMESPACE.fullmatch(text) is not None


def is_object_name(text: str) -> bool:
    """Whether ``text`` can name a template or a secret: an RFC 1123 subdomain."""
    return _OBJECT_NAME.fullmatch(text) is not None


def is_plugin_name(text: str) -> bool:
    """Whether ``text`` can name a plugin, e.g. ``acme/kpi``.

    Source: argo-rollouts utils/config/config.go:32, 125-133 @ 9f8d111d8.
    """
    return _PLUGIN.fullmatch(text) is not None


def is_secret_key(text: str) -> bool:
    """Whether ``text`` can be a key of a secret."""
    return _SECRET_KEY.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Whether ``text`` can be the key of a label: ``team`` or ``example.com/team``."""
    return _LABEL_KEY.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """Whether ``text`` can be the value of a label."""
    return _LABEL_VALUE.fullmatch(text) is not None
