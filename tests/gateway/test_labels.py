"""Label sets with a ceiling."""

import pytest

from gateway.telemetry.labels import IDLE_S, CappedLabels, Labels


@pytest.mark.parametrize(
    ("story", "admitted", "refused", "evicted"),
    [
        pytest.param([("a", 0), ("b", 1)], "ab", 0, "", id="two-fit"),
        pytest.param([("a", 0), ("b", 1), ("c", 2)], "abo", 1, "", id="the-third-is-other"),
        pytest.param([("a", 0), ("a", 1), ("b", 2)], "aab", 0, "", id="a-known-one-takes-no-room"),
        pytest.param(
            [("a", 0), ("b", 1), ("c", IDLE_S)], "abc", 0, "a", id="an-idle-one-makes-room"
        ),
        pytest.param(
            [("a", 0), ("b", 1), ("a", 2), ("c", IDLE_S + 1)],
            "abac",
            0,
            "b",
            id="the-one-idle-for-longest-goes",
        ),
    ],
)
def test_label_sets_find_room_or_become_other(
    story: list[tuple[str, float]], admitted: str, refused: int, evicted: str
) -> None:
    """With room for two, what does not fit is called other, and is counted."""
    others: list[None] = []
    gone: list[Labels] = []
    labels = CappedLabels(2, on_other=lambda: others.append(None), on_evict=gone.append)
    names = [labels.admit((name, "ns"), now_unix_s=at)[0][0] for name, at in story]
    assert ("".join(names), len(others), "".join(each[0] for each in gone)) == (
        admitted,
        refused,
        evicted,
    )


def test_other_fills_every_label() -> None:
    """The rest has one series, not one per namespace."""
    labels = CappedLabels(1, on_other=lambda: None, on_evict=lambda _: None)
    labels.admit(("a", "b"), now_unix_s=0.0)
    assert labels.admit(("c", "b"), now_unix_s=1.0) == ("other", "other")
