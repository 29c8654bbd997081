"""Education: pupils in difficulty: files, aid, dropout, care, the fund (C33–C39)."""
