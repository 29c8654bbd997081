"""Figures of a county and its townships, reckoned by SQL from notify's own tables (C6, C8, C63)."""
