"""Whose a certificate is, by what ``ssl`` tells of it."""

from typing import Any

import pytest

from gateway.certificates import certificate_names


def subject(*names: str) -> dict[str, Any]:
    """A certificate with common names and no others."""
    return {
        "subject": (
            (("countryName", "DE"),),
            *((("organizationName", "Acme"), ("commonName", name)) for name in names),
        )
    }


@pytest.mark.parametrize(
    ("peercert", "names"),
    [
        pytest.param({}, (), id="none-was-verified"),
        pytest.param(subject("carol"), ("carol",), id="a-common-name"),
        pytest.param(subject("carol", "dave"), ("carol", "dave"), id="two-of-them"),
        pytest.param(subject(""), (), id="an-empty-one"),
        pytest.param({"subject": ()}, (), id="no-subject"),
        pytest.param(
            {"subjectAltName": (("DNS", "a.ci"), ("URI", "spiffe://x/a"), ("DNS", "b.ci"))},
            ("spiffe://x/a", "a.ci", "b.ci"),
            id="uris-before-dns",
        ),
        pytest.param(
            {"subjectAltName": (("DNS", "a.ci"), ("DNS", "a.ci"), ("DNS", ""))},
            ("a.ci",),
            id="each-once",
        ),
        pytest.param(
            {**subject("admin"), "subjectAltName": (("DNS", "a.ci"),)},
            ("a.ci",),
            id="the-subject-does-not-count-beside-others",
        ),
        pytest.param(
            {**subject("carol"), "subjectAltName": (("email", "c@ci"), ("IP Address", "10.0.0.1"))},
            ("carol",),
            id="other-kinds-are-no-names",
        ),
    ],
)
def test_names(peercert: dict[str, Any], names: tuple[str, ...]) -> None:
    """In the order of how much they are vouched for."""
    assert certificate_names(peercert) == names
