"""The review calendar: when each household is looked at again, and what was found (R28)."""
