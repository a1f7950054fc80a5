"""What tests of the service may use."""

from collections.abc import Iterator

import pytest
from staged import Stage, staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Both run until the module's tests are over."""
    with staged(tmp_path_factory.mktemp("state")) as running:
        yield running
