"""Readings that nobody can change."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.freeze import freeze, thaw

SCALARS = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(JSON)
def test_thawing_gives_back_what_was_frozen(value: object) -> None:
    """Nothing is lost on the way there and back."""
    assert thaw(freeze(value)) == value


def test_what_is_frozen_cannot_be_changed() -> None:
    """Lists are tuples, objects are read-only, at any depth, and share nothing with the source."""
    source = {"a": [{"b": [1.0]}]}
    frozen = freeze(source)
    source["a"].clear()
    assert frozen == MappingProxyType({"a": (MappingProxyType({"b": (1.0,)}),)})
    with pytest.raises(TypeError):
        frozen["a"] = 1  # type: ignore[index]
