"""The one-household plan (C53, R35): drafted, signed, in force, replaced; what it came to."""
