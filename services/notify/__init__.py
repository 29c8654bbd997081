"""Notify: notices, reminders and supervision across the bureaus (C26, C56–C58, C60, C62–C63)."""
