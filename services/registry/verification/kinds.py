"""What a doubt may be about, and how officers and citizens read it. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class DoubtKind(StrEnum):
    """What a doubt is about."""

    HUKOU_CANCELLED = "hukou_cancelled"
    HUKOU_MEMBER_EXTRA = "hukou_member_extra"
    HUKOU_MEMBER_MISSING = "hukou_member_missing"
    VEHICLE_IN_USE = "vehicle_in_use"
    SEVERAL_DWELLINGS = "several_dwellings"
    SHOP = "shop"
    PROPERTY_TRADED = "property_traded"
    ACTIVE_BUSINESS = "active_business"
    TAX_PAID = "tax_paid"
    WAGE_UNDERSTATED = "wage_understated"
    PENSION_NOT_DECLARED = "pension_not_declared"
    DEPOSITS_OVER_LIMIT = "deposits_over_limit"
    SECURITIES_HELD = "securities_held"
    DEATH_MARK = "death_mark"
    SPOUSE_NOT_DECLARED = "spouse_not_declared"
    COUNTED_WHILE_SERVING = "counted_while_serving"
    DISABILITY_NOT_DECLARED = "disability_not_declared"
    DISABILITY_NOT_FOUND = "disability_not_found"
    DISABILITY_DIFFERS = "disability_differs"
    ENROLMENT_NOT_DECLARED = "enrolment_not_declared"
    ENROLMENT_NOT_FOUND = "enrolment_not_found"
    MEDICAL_NEED = "medical_need"
    LIVING_COSTS_HIGH = "living_costs_high"


KINDS_ZH: Mapping[DoubtKind, str] = {
    DoubtKind.HUKOU_CANCELLED: "户籍已注销",
    DoubtKind.HUKOU_MEMBER_EXTRA: "户籍在册人员未申报",
    DoubtKind.HUKOU_MEMBER_MISSING: "申报成员不在同一户籍",
    DoubtKind.VEHICLE_IN_USE: "名下有在用车辆",
    DoubtKind.SEVERAL_DWELLINGS: "名下有多套住房",
    DoubtKind.SHOP: "名下有商铺",
    DoubtKind.PROPERTY_TRADED: "近年买卖过不动产",
    DoubtKind.ACTIVE_BUSINESS: "在营市场主体有出资",
    DoubtKind.TAX_PAID: "核算期内缴纳个人所得税",
    DoubtKind.WAGE_UNDERSTATED: "缴费基数推算的工资高于申报",
    DoubtKind.PENSION_NOT_DECLARED: "养老金或失业保险金未如数申报",
    DoubtKind.DEPOSITS_OVER_LIMIT: "银行存款超过限额",
    DoubtKind.SECURITIES_HELD: "证券和保单价值超过限额",
    DoubtKind.DEATH_MARK: "有死亡登记",
    DoubtKind.SPOUSE_NOT_DECLARED: "登记的配偶未申报",
    DoubtKind.COUNTED_WHILE_SERVING: "服刑或戒毒期间计入家庭人口",
    DoubtKind.DISABILITY_NOT_DECLARED: "持有残疾人证未申报",
    DoubtKind.DISABILITY_NOT_FOUND: "申报残疾但查无登记",
    DoubtKind.DISABILITY_DIFFERS: "残疾类别或等级与申报不一致",
    DoubtKind.ENROLMENT_NOT_DECLARED: "有学籍未申报在读",
    DoubtKind.ENROLMENT_NOT_FOUND: "申报在读但查无学籍",
    DoubtKind.MEDICAL_NEED: "自付医疗费用高,可能需要救助",
    DoubtKind.LIVING_COSTS_HIGH: "生活消费支出偏高(辅助)",
}
"""What officers and citizens read."""
