"""Names that Kubernetes allows."""

import pytest

from gateway.names import (
    is_label_key,
    is_label_value,
    is_namespace,
    is_object_name,
    is_secret_key,
)


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


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        pytest.param("team", True, True, id="a-word"),
        pytest.param("4f1c2d9", True, True, id="a-digit-first"),
        pytest.param("A_b.c-D", True, True, id="capitals-underscores-and-dots"),
        pytest.param("a" * 63, True, True, id="as-long-as-may-be"),
        pytest.param("a" * 64, False, False, id="longer"),
        pytest.param("", False, True, id="only-a-value-may-be-empty"),
        pytest.param("-a", False, False, id="a-leading-dash"),
        pytest.param("a.", False, False, id="a-trailing-dot"),
        pytest.param("a b", False, False, id="a-blank"),
        pytest.param("a\n", False, False, id="a-trailing-line-break"),
        pytest.param("\N{ARABIC-INDIC DIGIT FOUR}", False, False, id="ascii-only"),
        pytest.param("example.com/team", True, False, id="only-a-key-may-have-a-prefix"),
        pytest.param("Example.com/team", False, False, id="the-prefix-is-a-dns-name"),
        pytest.param("/team", False, False, id="no-prefix-before-the-slash"),
        pytest.param("a/b/c", False, False, id="two-slashes"),
        pytest.param(".".join(["a" * 63] * 4)[:253] + "/a", True, False, id="a-long-prefix"),
        pytest.param(".".join(["a" * 63] * 4)[:254] + "/a", False, False, id="one-too-long"),
    ],
)
def test_labels(text: str, key: bool, value: bool) -> None:  # noqa: FBT001
    """What Kubernetes takes as the key and as the value of a label."""
    assert (is_label_key(text), is_label_value(text)) == (key, value)
