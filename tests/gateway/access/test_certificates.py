"""Callers who show a certificate."""

from typing import Any

import pytest

from gateway.access.caller import Caller
from gateway.access.certificates import caller_of_certificate


def certificate(*subject: tuple[str, str], others: tuple[tuple[str, str], ...] = ()) -> Any:
    """As Python's ``ssl`` shows one."""
    return {
        "subject": tuple((pair,) for pair in subject),
        "issuer": ((("commonName", "the authority"),),),
        **({"subjectAltName": others} if others else {}),
    }


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        pytest.param(
            certificate(("organizationName", "acme"), ("commonName", "ci")),
            "certificate:ci",
            id="common-name",
        ),
        pytest.param(
            certificate(("commonName", "admin"), others=(("DNS", "ci.acme"), ("DNS", "b"))),
            "certificate:ci.acme",
            id="what-the-authority-vouches-for-goes-first",
        ),
        pytest.param(
            certificate(others=(("DNS", "ci.acme"), ("URI", "spiffe://acme/ci"))),
            "certificate:spiffe://acme/ci",
            id="spiffe-before-dns",
        ),
        pytest.param(
            certificate(("commonName", "ci"), others=(("email", "ci@acme"), ("DNS", ""))),
            "certificate:ci",
            id="other-alternatives-are-none",
        ),
        pytest.param(certificate(("commonName", "")), None, id="an-empty-name-is-none"),
        pytest.param(
            certificate(("commonName", "ci"), others=(("DNS", "a\nb"),)),
            None,
            id="a-name-of-two-lines-is-none",
        ),
        pytest.param(certificate(("commonName", "x" * 600)), None, id="too-long-a-name-is-none"),
        pytest.param(certificate(("organizationName", "acme")), None, id="no-name"),
        pytest.param(certificate(others=(("IP Address", "::1"),)), None, id="an-address-is-none"),
        pytest.param({}, None, id="nothing"),
        pytest.param({"subjectAltName": ((1, 2),), "subject": ()}, None, id="something-else"),
        pytest.param(
            {"subjectAltName": (("DirName", (("x",),)), ("DNS", "a"))},
            "certificate:a",
            id="a-directory-is-no-text",
        ),
    ],
)
def test_the_name_of_a_certificate(shown: Any, name: str | None) -> None:
    """The first alternative of the kinds that name callers, else the common name."""
    caller = caller_of_certificate(shown)
    assert (caller and caller.name) == name


def test_all_that_it_says_are_claims() -> None:
    """In the order of their names, for the policy to look at."""
    shown = certificate(
        ("organizationalUnitName", "a"),
        ("commonName", "ci"),
        ("organizationalUnitName", "b"),
        others=(("DNS", "ci.acme"),),
    )
    claims = (
        ("DNS", ("ci.acme",)),
        ("commonName", ("ci",)),
        ("organizationalUnitName", ("a", "b")),
    )
    assert caller_of_certificate(shown) == Caller("certificate:ci.acme", claims=claims)
