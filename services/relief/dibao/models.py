"""Every dibao decision ever taken, so that each can be explained years later (C57)."""

from services.relief.schedules import models as schedules


class Grant(schedules.Grant):
    """What one household is owed a month under dibao."""

    __tablename__ = "dibao_grants"
