"""Tekun (特困人员救助供养): what each is owed a month, who cares for whom (C10, C13, R24, R25)."""
