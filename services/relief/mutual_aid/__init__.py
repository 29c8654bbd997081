"""Mutual-aid groups of neighbours and home-care centres, and who is left without (C55)."""
