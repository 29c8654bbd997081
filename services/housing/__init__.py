"""Housing: safe dwellings: surveys, patrols, plans, renovations (C27–C32)."""
