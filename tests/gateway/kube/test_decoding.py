"""What an API server's JSON may hold, and how it is read all the same."""

import json
from collections.abc import AsyncIterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounds import Bounds
from gateway.kube import decoding
from gateway.kube.decoding import decoded, lines, shallow

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def cut(value: object, levels: int) -> object:
    """A value without what stands so many levels down."""
    match value:
        case dict():
            return {key: cut(each, levels - 1) for key, each in value.items() if levels > 1}
        case list():
            return [cut(each, levels - 1) for each in value if levels > 1]
        case _:
            return value


@given(value=VALUES, levels=st.integers(1, 4), indent=st.none() | st.integers(0, 1))
def test_what_is_too_deep_is_left_out_and_nothing_else(
    value: object, levels: int, indent: int | None
) -> None:
    """Whatever texts hold: quotes, braces and backslashes in them mean nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "DEEPEST", levels)
        text = json.dumps(value, indent=indent).encode()
        assert json.loads(shallow(text)) == cut(value, levels)


@pytest.mark.parametrize("levels", [100, 1_000, 1_500, 100_000])
def test_one_deep_object_hides_no_other(levels: int) -> None:
    """A parser would give up the whole list; and it is still too deep for who looks at it."""
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    page = decoded(b'{"items":[{"name":"a"},' + deep + b',{"name":"\\"]}"}]}')
    assert [page["items"][0], page["items"][2]] == [{"name": "a"}, {"name": '"]}'}]
    with pytest.raises(ValueError, match="nested deeper"):
        Bounds().admit(page["items"][1], 0)


@pytest.mark.parametrize("text", [b"", b"<html>[", b'{"a":', b'"\\', b"]]]", b'["a]'])
def test_what_is_no_json_stays_none(text: bytes) -> None:
    """A proxy may answer anything."""
    with pytest.raises(orjson.JSONDecodeError):
        decoded(text)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([b"one\ntwo\n"], [b"one", b"two"], id="two-in-one-chunk"),
        pytest.param([b"o", b"ne\nt", b"wo", b"\n"], [b"one", b"two"], id="cut-anywhere"),
        pytest.param(
            ["a\x85b\u2028c\n".encode()], ["a\x85b\u2028c".encode()], id="no-other-separator"
        ),
        pytest.param([b"one\nhal"], [b"one", b"hal"], id="a-stream-that-was-cut"),
        pytest.param([], [], id="nothing"),
    ],
)
async def test_lines(chunks: list[bytes], expected: list[bytes]) -> None:
    """Only a line feed ends one."""

    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    assert [line async for line in lines(stream())] == expected
