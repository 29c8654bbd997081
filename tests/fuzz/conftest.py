"""The fuzzing comes last: it writes into the sample platform, whose figures other tests compare."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put this folder's tests behind all others."""
    items.sort(key=lambda item: item.path.is_relative_to(HERE))
