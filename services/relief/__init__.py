"""Relief: the amounts of social assistance and their payment (C10–C19, C54–C55)."""
