"""A verification of one person whose sources have answered, as its own capability tests it."""

from tests.registry.verification.conftest import desk, loner, sources
from tests.registry.verification.test_reports import case

__all__ = ["case", "desk", "loner", "sources"]
