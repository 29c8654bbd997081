"""What a county must be able to say of its registry: gaps, filing, returns, incomes (C1–C9)."""
