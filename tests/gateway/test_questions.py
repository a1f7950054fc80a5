"""Keys of questions."""

import pytest

from gateway.questions import question_key

BASE = {
    "egress": "egress.named",
    "namespace": "shop",
    "provider": "web",
    "block": {"url": "http://x", "headers": [{"key": "K", "value": "hunter2"}]},
    "environ": {},
    "secret": {"api-key": "hunter3"},
    "connections": "[]",
}


def key(hash_key: bytes = b"k" * 32, **changes: object) -> str:
    """The key of the base question with changes."""
    return question_key(hash_key, **{**BASE, **changes})  # type: ignore[arg-type]


def test_equal_questions_have_equal_keys() -> None:
    """The order of fields does not matter, and no secret shows."""
    turned = {"headers": [{"value": "hunter2", "key": "K"}], "url": "http://x"}
    assert key() == key(block=turned)
    assert len(key()) == 32
    assert "hunter" not in key()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"egress": "egress.inline"}, id="policies-share-nothing"),
        pytest.param({"namespace": "other"}, id="tenants-share-nothing"),
        pytest.param({"provider": "prometheus"}, id="providers-share-nothing"),
        pytest.param({"block": {"url": "http://y"}}, id="another-block"),
        pytest.param({"environ": {"A": "b"}}, id="another-environment"),
        pytest.param({"secret": {"api-key": "hunter4"}}, id="another-credential"),
        pytest.param({"connections": "[1]"}, id="another-connection"),
        pytest.param({"hash_key": b"l" * 32}, id="another-hash-key"),
    ],
)
def test_what_differs_has_another_key(changes: dict[str, object]) -> None:
    """Everything that decides what is asked is in the key."""
    assert key(**changes) != key()  # type: ignore[arg-type]
