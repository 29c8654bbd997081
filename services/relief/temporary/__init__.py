"""Temporary assistance (临时救助) for any rural household; townships' reserve funds (C18, C19)."""
