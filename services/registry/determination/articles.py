"""Which law a decision rests on, in words, and what the applicant may do against it. Pure."""

from collections.abc import Mapping

from shared.contracts.registry import Category, RuleSet

CIVIL_AFFAIRS = "civil-affairs"
"""The ``bureau`` of civil affairs in a token."""
REMEDY = (
    "如不服本决定,可以自收到本决定书之日起六十日内依法申请行政复议,"
    "也可以自收到本决定书之日起六个月内依法向人民法院提起行政诉讼。"
)
"""The right of reconsideration (社会救助暂行办法 art. 65), as every refusal states it."""

_ALWAYS = "《社会救助暂行办法》"
_ZHEJIANG = "《浙江省社会救助条例》"
_LAW: Mapping[RuleSet, Mapping[Category, str]] = {
    RuleSet.LS2016: {
        Category.TEKUN: "《特困人员认定办法》",
        Category.DIBAO: "《最低生活保障审核审批办法(试行)》",
        Category.DIBAO_MARGINAL: "《最低生活保障审核审批办法(试行)》",
    },
    RuleSet.CN2021: {
        Category.TEKUN: "《特困人员认定办法》",
        Category.DIBAO: "《最低生活保障审核确认办法》",
        Category.DIBAO_MARGINAL: "《最低生活保障审核确认办法》",
    },
}


def articles(rule_set: RuleSet, category: Category) -> tuple[str, ...]:
    """The laws that a decision cites.

    Example: dibao in 2026: 社会救助暂行办法, 浙江省社会救助条例, 最低生活保障审核确认办法.
    """
    if rule_set is RuleSet.CN2025 and category is Category.EXPENDITURE_BASED:
        return (_ALWAYS, _ZHEJIANG, "《刚性支出困难家庭认定办法》")
    known = _LAW[RuleSet.LS2016 if rule_set is RuleSet.LS2016 else RuleSet.CN2021]
    own = known.get(category)
    return (_ALWAYS, _ZHEJIANG, own) if own else (_ALWAYS, _ZHEJIANG)


def bureau_of(category: Category) -> tuple[str, str]:
    """Who decides on a category (R29): the ``bureau`` of the token, and its name in words."""
    if category is Category.GROUP_4600:
        return "poverty-alleviation", "农办(扶贫办)"
    return CIVIL_AFFAIRS, "民政局"
