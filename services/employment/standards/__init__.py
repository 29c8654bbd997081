"""The figures that employment keeps: time limits and how long migrant work must last (R30)."""
