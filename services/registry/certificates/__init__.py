"""Certificates (低保证, 特困证, 低保边缘证): the proof that a household is on assistance (R21)."""
