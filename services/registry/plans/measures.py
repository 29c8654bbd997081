"""What may be done against which cause of poverty (section 5, lift criteria; R35). Pure.

The kinds are those of the national anti-return system (policy section 9); which of them answers a
cause follows its data checks: illness by health, social or comprehensive protection, and so on.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from shared.contracts.registry import Cause


class MeasureKind(StrEnum):
    """Kinds of measures (帮扶措施)."""

    INDUSTRY = "industry"
    JOBS = "jobs"
    PUBLIC_WELFARE_JOB = "public_welfare_job"
    TRAINING = "training"
    FINANCE = "finance"
    HOUSING = "housing"
    DRINKING_WATER = "drinking_water"
    HEALTH = "health"
    COMPULSORY_EDUCATION = "compulsory_education"
    OTHER_EDUCATION = "other_education"
    COMPREHENSIVE = "comprehensive"
    SOCIAL = "social"


_K = MeasureKind
_WORK = frozenset({_K.INDUSTRY, _K.JOBS, _K.PUBLIC_WELFARE_JOB, _K.TRAINING})
_CARE = frozenset({_K.HEALTH, _K.SOCIAL, _K.COMPREHENSIVE})
ANSWERS: Mapping[Cause, frozenset[MeasureKind]] = {
    Cause.ILLNESS: _CARE,
    Cause.DISABILITY: _CARE | {_K.PUBLIC_WELFARE_JOB},
    Cause.SCHOOLING: frozenset({_K.COMPULSORY_EDUCATION, _K.OTHER_EDUCATION, _K.SOCIAL}),
    Cause.DISASTER: frozenset({_K.HOUSING, _K.SOCIAL, _K.COMPREHENSIVE}),
    Cause.ACCIDENT: _CARE,
    Cause.JOB_LOSS: _WORK,
    Cause.LACK_OF_MOTIVATION: _WORK | {_K.SOCIAL},
    Cause.LACK_OF_LABOR: frozenset({_K.INDUSTRY, _K.PUBLIC_WELFARE_JOB, _K.COMPREHENSIVE}),
    Cause.LACK_OF_SKILL: frozenset({_K.TRAINING, _K.JOBS, _K.INDUSTRY}),
    Cause.LACK_OF_FUNDS: frozenset({_K.FINANCE, _K.INDUSTRY}),
    Cause.OLD_AGE: frozenset({_K.SOCIAL, _K.COMPREHENSIVE}),
    Cause.WATER_SAFETY: frozenset({_K.DRINKING_WATER}),
    Cause.HOUSING: frozenset({_K.HOUSING}),
}
"""The kinds of measures that answer a cause."""

OF_PROGRAMMES: Mapping[str, MeasureKind] = {
    "dibao": _K.COMPREHENSIVE,
    "tekun": _K.COMPREHENSIVE,
    "expenditure": _K.COMPREHENSIVE,
    "temporary_assistance": _K.COMPREHENSIVE,
    "premium_subsidy": _K.HEALTH,
    "medical_assistance": _K.HEALTH,
    "house_renovation": _K.HOUSING,
    "preschool_fee_cut": _K.OTHER_EDUCATION,
    "tuition_waiver": _K.OTHER_EDUCATION,
    "living_subsidy": _K.COMPULSORY_EDUCATION,
    "national_grant": _K.OTHER_EDUCATION,
    "student_loan": _K.OTHER_EDUCATION,
    "education_fund": _K.OTHER_EDUCATION,
    "training_subsidy": _K.TRAINING,
    "skill_assessment_subsidy": _K.TRAINING,
    "post_subsidy": _K.JOBS,
    "social_insurance_subsidy": _K.JOBS,
    "job_placement": _K.JOBS,
    "public_welfare_job": _K.PUBLIC_WELFARE_JOB,
    "interest_subsidy": _K.FINANCE,
}
"""What other bureaus report into the aid ledger, as kinds of measures."""


def unanswered(causes: Iterable[Cause], kinds: Collection[MeasureKind]) -> tuple[Cause, ...]:
    """The causes that none of these kinds of measures answers, in the order of the file.

    Example: illness and housing, with dibao paid (comprehensive): housing is unanswered.
    """
    return tuple(cause for cause in causes if not ANSWERS[cause] & set(kinds))
