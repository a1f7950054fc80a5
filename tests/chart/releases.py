"""Releases of the matrix, and their pods."""

from collections.abc import Iterator

from chart.matrix import MATRIX, with_tokens
from chart.rendering import Manifest, Rendered, rendered


def chart(name: str) -> Rendered:
    """The chart with values of the matrix."""
    return rendered(with_tokens(MATRIX[name]))


def pods(release: Rendered) -> Iterator[Manifest]:
    """The specs of all pods."""
    for each in release.manifests:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            yield each["spec"]["template"]["spec"]
        elif each["kind"] == "Pod":
            yield each["spec"]
