"""The console's words: what codes are called in Chinese. An unknown code is shown as it is."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

STATES = {
    "accepted": "受理中",
    "identified": "在册帮扶",
    "returned": "返贫再帮扶",
    "lifted": "已脱贫（跟踪中）",
    "exited": "已退出（销号）",
    "closed": "已关闭",
}
CATEGORIES = {
    "tekun": "特困",
    "dibao": "低保",
    "dibao_marginal": "低保边缘",
    "expenditure_based": "支出型贫困",
    "group_4600": "原4600元以下",
}
CAUSES = {
    "illness": "因病",
    "disability": "因残",
    "schooling": "因学",
    "disaster": "因灾",
    "accident": "因意外",
    "job_loss": "因失业",
    "lack_of_motivation": "自身发展动力不足",
    "lack_of_labor": "缺劳力",
    "lack_of_skill": "缺技术",
    "lack_of_funds": "缺资金",
    "old_age": "因老",
    "water_safety": "因安全饮水",
    "housing": "因住房",
}
GUARANTEES = {
    "living": "基本生活",
    "housing": "住房安全",
    "medical": "基本医疗",
    "education": "子女教育",
    "employment": "就业",
}
SERVICES = {
    "registry": "建档认定",
    "relief": "民政",
    "housing": "建设",
    "education": "教育",
    "employment": "人力社保",
    "notify": "公示",
}
STATUSES = {"approved": "已批准", "paid": "已发放", "reversed": "已撤销"}
PROGRAMMES = {
    "dibao": "低保金",
    "tekun": "特困供养",
    "premium_subsidy": "参保资助",
    "medical_assistance": "医疗救助",
    "temporary_assistance": "临时救助",
    "house_renovation": "危房改造补助",
    "preschool_fee_cut": "学前教育减免",
    "tuition_waiver": "免学费",
    "living_subsidy": "生活补助",
    "national_grant": "国家助学金",
    "student_loan": "助学贷款",
    "education_fund": "教育扶贫基金",
    "training_subsidy": "培训补贴",
    "skill_assessment_subsidy": "职业技能鉴定补贴",
    "post_subsidy": "岗位补贴",
    "social_insurance_subsidy": "社保补贴",
    "public_welfare_job": "公益性岗位",
    "job_placement": "就业安置",
    "interest_subsidy": "贷款贴息",
}
FUNDS = {
    "dibao": "低保资金",
    "tekun": "特困供养资金",
    "medical_assistance": "医疗救助基金",
    "central": "中央资金",
    "provincial": "省级资金",
    "city": "市级资金",
    "county": "县级资金",
    "county_housing": "县级住房资金",
    "county_education": "县级教育资金",
}
HARDSHIPS = {
    "dangerous_house": "住房鉴定为危房",
    "dropout": "适龄子女失学辍学",
    "medical_expense": "自付医疗费用过大",
}
ORIGINS = {
    "application": "本人申请",
    "roster": "花名册导入",
    "returned": "返贫",
    "lead": "主动发现",
}
NOTICE_KINDS = {
    "identification": "拟认定",
    "lift": "拟脱贫",
    "exit": "拟退出",
    "temporary_assistance": "拟给予临时救助",
}
NOTICE_STATUSES = {
    "waiting": "待张贴",
    "posted": "公示中",
    "objected": "有异议待答复",
    "closed": "已结束",
}
OUTCOMES = {
    "unopposed": "无异议",
    "objections_dismissed": "异议不成立",
    "objection_upheld": "异议成立",
    "withdrawn": "已撤回",
    "refused": "不予公示",
}
RELATIONS = {
    "head": "户主",
    "spouse": "配偶",
    "son": "儿子",
    "daughter": "女儿",
    "father": "父亲",
    "mother": "母亲",
    "grandchild": "孙辈",
    "grandparent": "祖辈",
    "sibling": "兄弟姐妹",
    "other": "其他",
}
SEXES = {"male": "男", "female": "女"}
HEALTH = {
    "healthy": "健康",
    "chronic_illness": "慢性病",
    "serious_illness": "大病",
    "disabled": "残疾",
}
DISABILITIES = {
    "sight": "视力",
    "hearing": "听力",
    "speech": "言语",
    "limb": "肢体",
    "intellectual": "智力",
    "mental": "精神",
    "multiple": "多重",
}
LABOR = {
    "skilled": "技能劳动力",
    "ordinary": "普通劳动力",
    "weak": "弱劳动力",
    "lost": "丧失劳动力",
    "none": "无劳动力",
}
STAGES = {
    "not_at_school": "不在校",
    "preschool": "学前",
    "primary": "小学",
    "junior": "初中",
    "senior": "普高",
    "vocational": "中职",
    "junior_college": "大专",
    "college": "本科及以上",
}
WORK = {
    "farming": "务农",
    "flexible": "灵活就业",
    "migrant_in_county": "县内务工",
    "migrant_in_province": "省内务工",
    "migrant_out_of_province": "省外务工",
    "unemployed": "失业",
    "not_working": "不工作",
}
INCOMES = {"wage": "工资性", "business": "经营净", "property": "财产净", "transfer": "转移净"}
EXPENSES = {"medical": "医疗", "education": "教育", "disability": "残疾康复", "other": "其他"}
BUREAUS = {
    "civil-affairs": "民政局",
    "poverty-alleviation": "农办（扶贫办）",
    "construction": "建设局",
    "education": "教育局",
    "human-resources": "人力社保局",
    "supervision": "督查室",
    "township": "乡镇（街道）",
}


def said(words: Mapping[str, str], code: str | None) -> str:
    """What ``code`` is called; a code of a later writer stays as it is, none is a dash."""
    return "—" if code is None else words.get(code, code)


def yuan(amount: Decimal | str | None) -> str:
    """``1234.5`` -> ``1,234.50``, to the fen."""
    return "—" if amount is None else f"{Decimal(amount):,.2f}"


def day(value: date | str | None) -> str:
    """``2026-03-01`` -> ``2026年3月1日``."""
    if not value:
        return "—"
    on = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{on.year}年{on.month}月{on.day}日"


def month(value: date | str | None) -> str:
    """``2026-03-01`` or ``2026-03`` -> ``2026年3月``."""
    if not value:
        return "—"
    on = date.fromisoformat(f"{value[:7]}-01") if isinstance(value, str) else value
    return f"{on.year}年{on.month}月"
