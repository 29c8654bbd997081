"""The guarantees that relief answers for: living and medical insurance (C8)."""
