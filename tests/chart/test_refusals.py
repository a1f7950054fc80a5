"""What the chart refuses, with the place or a sentence that says what to do."""

import pytest
from chart.matrix import with_tokens
from chart.refused import REFUSED
from chart.rendering import needs_helm, refusal

pytestmark = needs_helm


@pytest.mark.parametrize("name", REFUSED)
def test_values_that_do_not_fit_are_refused(name: str) -> None:
    """With the place, or with a sentence that says what to do."""
    values, sentence = REFUSED[name]
    assert sentence in refusal(with_tokens(values))


def test_a_gateway_that_would_not_start_is_refused() -> None:
    """Nobody could prove who it is."""
    assert "set access.tokens.existingSecret, access.tokenReview" in refusal({})
