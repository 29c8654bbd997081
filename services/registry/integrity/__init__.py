"""Integrity records: findings of dishonesty, each signed by two officers (R27)."""
