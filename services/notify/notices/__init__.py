"""Public notices before a decision: posted, objected to, closed after seven full days (C60)."""
