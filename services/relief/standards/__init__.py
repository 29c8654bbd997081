"""The money standards that relief keeps and publishes (C11, C12)."""
