"""The tree of failures."""

import pytest

from gateway import errors
from gateway.errors import ConditionError, GatewayError, Problem, TemplateInvalid


def leaves(kind: type[GatewayError]) -> list[type[GatewayError]]:
    """All classes of the tree below ``kind`` that this module defines."""
    below = [sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__]
    return [leaf for sub in below for leaf in [sub, *leaves(sub)]]


def test_every_failure_has_a_word_of_its_own() -> None:
    """Slugs are labels and JSON fields: two failures never share one."""
    slugs = [leaf.slug for leaf in leaves(GatewayError)]
    assert len(slugs) == len(set(slugs))
    assert GatewayError.slug not in slugs


def test_all_problems_are_told_with_their_paths() -> None:
    """The text of an invalid template lists every problem."""
    problems = (Problem("spec.metrics[0].count", "too small"), Problem("", "empty"))
    error = TemplateInvalid(problems)
    assert str(error) == "spec.metrics[0].count: too small; empty"
    assert error.problems == problems


@pytest.mark.parametrize(
    ("expression", "offset", "pointed"),
    [
        pytest.param("a >= b", 2, "bad\n | a >= b\n |   ^", id="under-the-character"),
        pytest.param("a\n&& b\nc", 5, "bad\n | && b\n |    ^", id="in-its-own-line"),
        pytest.param("a", None, "bad", id="no-place-no-caret"),
    ],
)
def test_a_condition_error_points(expression: str, offset: int | None, pointed: str) -> None:
    """The caret stands under the offending character."""
    assert ConditionError("bad", expression=expression, offset=offset).pointed() == pointed
