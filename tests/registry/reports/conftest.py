"""The offices that an application passes through: what they refuse is rejected here (C6)."""

from tests.registry.determination.conftest import casework, county

__all__ = ["casework", "county"]
