"""Labour (劳动力): who can and wants to work, and households where nobody has work (C44, C45)."""
