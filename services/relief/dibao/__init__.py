"""Dibao (最低生活保障): what each household on it is owed a month (C11, C13, R9, R10, R13)."""
