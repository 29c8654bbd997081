"""The ledger: the event path under load and faults, every row of it checked afterwards."""
