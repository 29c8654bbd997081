"""How long the registry keeps what it was told: deletions that two officers sign (section 7)."""
