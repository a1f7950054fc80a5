"""Manifests as YAML, for people and for files."""

from typing import Any, Final

import yaml

_WIDTH: Final = 1_000_000
"""Lines end where their texts do."""


class _Readable(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # C or not
    """Writes texts of several lines as such."""


def _text(dumper: Any, text: str) -> Any:  # noqa: ANN401 - the library's own
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _value(dumper: Any, value: object) -> Any:  # noqa: ANN401 - the same
    return _text(dumper, str(value))


_Readable.add_representer(str, _text)
# Enumerations of texts, such as phases.
_Readable.add_multi_representer(str, _value)


def yaml_text(content: object) -> str:
    """A manifest of JSON-ready values as YAML, keys in their order."""
    text: str = yaml.dump(
        content, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return text
