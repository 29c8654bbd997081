"""What every monthly schedule shares: whose month it is, what changes it, how it is kept (R13)."""
