"""The sources that a verification asks (policy section 4), and what asks which of them. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class Source(StrEnum):
    """Who is asked: the fifteen sources, and living costs, which only ever add to a doubt."""

    HUKOU = "hukou"
    VEHICLE = "vehicle"
    REAL_ESTATE = "real_estate"
    BUSINESS = "business"
    TAX = "tax"
    SOCIAL_INSURANCE = "social_insurance"
    PENSION = "pension"
    BANK = "bank"
    SECURITIES = "securities"
    DEATH = "death"
    MARRIAGE = "marriage"
    JUSTICE = "justice"
    DISABILITY = "disability"
    ENROLMENT = "enrolment"
    MEDICAL = "medical"
    LIVING_COSTS = "living_costs"


NAMES_ZH: Mapping[Source, str] = {
    Source.HUKOU: "公安户籍",
    Source.VEHICLE: "车辆管理",
    Source.REAL_ESTATE: "不动产登记",
    Source.BUSINESS: "市场主体登记",
    Source.TAX: "个人所得税",
    Source.SOCIAL_INSURANCE: "社会保险和住房公积金",
    Source.PENSION: "养老金和失业保险金",
    Source.BANK: "银行存款",
    Source.SECURITIES: "证券和商业保险",
    Source.DEATH: "殡葬和死亡登记",
    Source.MARRIAGE: "婚姻登记",
    Source.JUSTICE: "服刑和强制戒毒",
    Source.DISABILITY: "残疾人登记",
    Source.ENROLMENT: "学籍",
    Source.MEDICAL: "医疗费用",
    Source.LIVING_COSTS: "水电、出行和学费支出",
}
"""What officers and citizens read."""

LIGHT = (Source.DEATH, Source.JUSTICE, Source.BUSINESS, Source.VEHICLE)
"""The sources of the monthly light check."""

TRACKED = (Source.DEATH, Source.JUSTICE)
"""Those of them that are asked of a household in tracking: it draws nothing, so what it owns is its
own; who lives in it is not."""


class Kind(StrEnum):
    """What a verification was made for: one case, or a scheduled look at all on assistance."""

    CASE = "case"
    LIGHT = "light"
    SWEEP = "sweep"


class ItemState(StrEnum):
    """Where one question (one person, one source) stands.

    ``nothing_found`` is an answer; ``not_returned`` says that none came, and a late file may still
    bring one; ``failed`` says why in ``failure``.
    """

    WAITING = "waiting"
    SENT = "sent"
    ANSWERED = "answered"
    NOTHING_FOUND = "nothing_found"
    NOT_RETURNED = "not_returned"
    FAILED = "failed"


RETURNED = frozenset({ItemState.ANSWERED, ItemState.NOTHING_FOUND})
"""States that say what the source knows."""


class SubjectKind(StrEnum):
    """Who is asked about: a member of the household, or somebody who owes one support."""

    MEMBER = "member"
    OBLIGOR = "obligor"


class Conclusion(StrEnum):
    """What a report says: it never refuses anybody."""

    CONSISTENT = "consistent"
    DOUBTFUL = "doubtful"
    NOT_RETURNED = "not_returned"


class Outcome(StrEnum):
    """How a doubt was settled: it holds, it was explained with a proof, the file was corrected."""

    CONFIRMED = "confirmed"
    EXPLAINED = "explained"
    CORRECTED = "corrected"


class Severity(StrEnum):
    """Whether a doubt is looked into, or stops the review at once (a death mark)."""

    REVIEW = "review"
    STOP = "stop"
