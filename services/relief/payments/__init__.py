"""A month's run of payments: one a programme, household and month, never two (C13, R13)."""
