"""What is remembered, up to a number."""

from collections import OrderedDict

from gateway.newest import remember


def test_what_was_kept_longest_ago_goes_first() -> None:
    """What is kept once more counts as new."""
    kept: OrderedDict[str, int] = OrderedDict()
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        remember(kept, key, value, at_most=2)
    assert list(kept.items()) == [("a", 3), ("c", 4)]
