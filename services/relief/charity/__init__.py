"""Charity federations: what they are given, whom they help with it, and what is left (C54)."""
