"""Names that Kubernetes allows."""

import pytest

from gateway.names import is_namespace, is_object_name, is_secret_key


@pytest.mark.parametrize(
    ("text", "namespace", "object_name", "secret_key"),
    [
        pytest.param("shop", True, True, True, id="a-word"),
        pytest.param("shop-1", True, True, True, id="dash-and-digit"),
        pytest.param("a.b", False, True, True, id="dots-are-for-objects"),
        pytest.param("Shop", False, False, True, id="capitals-are-for-keys"),
        pytest.param("a_b", False, False, True, id="underscores-are-for-keys"),
        pytest.param("-a", False, False, True, id="a-leading-dash-is-for-keys"),
        pytest.param("a-", False, False, True, id="a-trailing-dash-is-for-keys"),
        pytest.param(".env", False, False, True, id="a-leading-dot-is-for-keys"),
        pytest.param("", False, False, False, id="empty"),
        pytest.param(".", False, False, False, id="here"),
        pytest.param("..", False, False, False, id="up"),
        pytest.param("..data", False, False, False, id="the-parts-of-a-mount"),
        pytest.param("a/b", False, False, False, id="slash"),
        pytest.param("a\x00", False, False, False, id="nul"),
        pytest.param("a\n", False, False, False, id="a-trailing-line-break"),
        pytest.param("\N{LATIN SMALL LETTER E WITH ACUTE}", False, False, False, id="ascii-only"),
        pytest.param("a" * 63, True, True, True, id="as-long-as-a-label"),
        pytest.param("a" * 64, False, False, True, id="longer-than-a-label"),
        pytest.param(".".join(["a" * 63] * 3 + ["a" * 61]), False, True, True, id="longest"),
        pytest.param(".".join(["a" * 63] * 4), False, False, False, id="too-long"),
    ],
)
def test_names(text: str, namespace: bool, object_name: bool, secret_key: bool) -> None:  # noqa: FBT001
    """RFC 1123 labels and subdomains, and keys of secrets."""
    assert (is_namespace(text), is_object_name(text), is_secret_key(text)) == (
        namespace,
        object_name,
        secret_key,
    )
