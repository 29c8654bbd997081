"""What the reason codes mean, told to an officer in Chinese (C44, R24, R30)."""

from collections.abc import Iterable

from services.employment.labour.rules import Outcome

REASONS = {
    "at_school": "在校学生，不计入有劳动能力人员",
    "labor_skilled": "技能劳动力，有劳动能力",
    "labor_ordinary": "普通劳动力，有劳动能力",
    "labor_weak": "弱劳动力，视为有劳动能力",
    "labor_unknown": "劳动能力未登记，无重度残疾且未满60周岁，视为有劳动能力",
    "labor_lost": "丧失劳动力",
    "labor_none": "无劳动力",
    "sixty_or_over": "劳动能力未登记且年满60周岁，视为无劳动能力",
    "severe_disability": "劳动能力未登记，残疾类别及等级属无劳动能力情形",
    "willing": "有就业愿望",
    "willing_unstated": "就业愿望未登记，按有就业愿望处理",
    "unwilling": "本人表示无就业愿望",
    "work_farming": "务农，视为已就业",
    "work_flexible": "灵活就业",
    "work_migrant_in_county": "县内务工",
    "work_migrant_in_province": "省内务工",
    "work_migrant_out_of_province": "省外务工",
    "work_unemployed": "失业",
    "work_not_working": "未就业",
    "work_unknown": "就业状况未登记，按未就业处理",
    "placement_contract": "已签订劳动合同就业",
    "placement_public_welfare_job": "已安置公益性岗位",
    "placement_licensed_business": "已领取营业执照自主创业",
    "placement_migrant_work": "外出务工已满规定月数",
    "household_lifted": "家庭已脱贫，档案暂停",
    "household_exited": "家庭已退出帮扶，档案暂停",
    "household_accepted": "家庭尚未认定为帮扶对象，档案暂停",
    "household_closed": "家庭档案已关闭，档案暂停",
    "under_working_age": "未满16周岁，未到法定劳动年龄",
    "past_working_age": "已达到法定退休年龄",
    "no_longer_a_member": "已不在任何在册家庭中，档案暂停",
}
OUTCOMES = {
    Outcome.EMPLOYED: "有劳动能力和就业愿望的成员中至少有一人就业，就业保障已落实",
    Outcome.ZERO_EMPLOYMENT: "有劳动能力和就业愿望的成员均未就业，属零就业家庭",
    Outcome.NO_ABLE_MEMBER: "家庭中没有法定劳动年龄内有劳动能力的成员，不属零就业家庭",
    Outcome.NONE_WILLING: "有劳动能力的成员均无就业愿望，不属零就业家庭",
}
CASE_OUTCOMES = {
    "employed": "已有成员就业，结案",
    "exempt": "已无有劳动能力和就业愿望的成员，结案",
    "left_assistance": "家庭已不在帮扶中，结案",
}


def told(codes: Iterable[str]) -> list[str]:
    """The reasons in words, in their order."""
    return [REASONS[code] for code in codes]
