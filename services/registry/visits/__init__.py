"""Visits of helpers, and to lifted households in tracking; what is due and late (C23, C53)."""
