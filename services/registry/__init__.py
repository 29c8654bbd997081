"""Registry: households, where they stand, what they were given (C1–C9, C20–C25, C51–C61)."""
