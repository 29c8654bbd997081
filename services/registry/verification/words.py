"""Words of a printed report: states, fields and codes of the answers, as officers read them."""

from typing import Any

STATES = {
    "answered": "已反馈",
    "nothing_found": "查无信息",
    "not_returned": "未反馈",
    "failed": "反馈无效",
    "waiting": "未反馈",
    "sent": "未反馈",
}
CONCLUSIONS = {
    "consistent": "与申报一致",
    "doubtful": "存在疑点",
    "not_returned": "部分项目未反馈",
}
AID_TYPES = {
    "tekun": "特困人员救助供养",
    "dibao": "最低生活保障",
    "dibao_marginal": "低保边缘家庭",
    "expenditure_based": "支出型贫困家庭",
    "group_4600": "原4600元以下动态管理对象",
}
RELATIONS = {
    "head": "户主",
    "spouse": "配偶",
    "son": "子",
    "daughter": "女",
    "father": "父",
    "mother": "母",
    "grandchild": "孙子女",
    "grandparent": "祖父母",
    "sibling": "兄弟姐妹",
    "other": "其他",
}
OUTCOMES = {"confirmed": "属实", "explained": "已解释", "corrected": "已更正档案"}

_FIELDS = {
    "household_no": "户号",
    "address": "地址",
    "members": "在册人员",
    "cancelled_on": "注销日期",
    "vehicles": "车辆",
    "plate": "号牌",
    "brand": "品牌",
    "registered_on": "登记日期",
    "use": "用途",
    "status": "状态",
    "properties": "不动产",
    "certificate_no": "权证号",
    "site": "坐落",
    "area": "面积",
    "acquired_on": "取得日期",
    "sold_on": "转出日期",
    "businesses": "市场主体",
    "uscc": "统一社会信用代码",
    "name": "名称",
    "capital": "出资额",
    "role": "身份",
    "active": "在营",
    "founded_on": "成立日期",
    "payments": "纳税",
    "month_from": "起始月",
    "month_to": "截止月",
    "amount": "金额",
    "contributions": "缴费",
    "unit": "单位",
    "base": "月基数",
    "months": "月数",
    "pensions": "待遇",
    "monthly": "月金额",
    "months_left": "剩余月数",
    "over_limit": "超过限额",
    "holdings": "持有",
    "custodian": "机构",
    "value": "价值",
    "died_on": "死亡日期",
    "cremated_on": "火化日期",
    "cancelled": "已注销",
    "type": "类别",
    "spouse_id_number": "配偶身份证号",
    "terms": "记录",
    "kind": "类别",
    "from_on": "起始日期",
    "to_on": "截止日期",
    "grade": "等级",
    "school": "学校",
    "stage": "学段",
    "total": "总费用",
    "pooled": "统筹支付",
    "cash": "个人自付",
    "household_cash": "全户自付",
    "critical_paid": "大病支付",
    "utilities": "水电",
    "travel": "出行",
    "school_fees": "学费",
}


def told(answer: Any) -> list[str]:
    """An answer as short lines, empty fields left out: ``号牌:浙K12345;状态:in_use``."""
    if not isinstance(answer, dict):
        return []
    plain = [_said(name, value) for name, value in answer.items() if not _rows(value)]
    lines = [";".join(filter(None, plain))]
    lines += [
        ";".join(filter(None, (_said(*each) for each in row.items())))
        for value in answer.values()
        for row in _rows(value)
    ]
    return [line for line in lines if line]


def _rows(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _said(name: str, value: Any) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, list):
        value = "、".join(str(each) for each in value)
    if isinstance(value, bool):
        value = "是" if value else "否"
    return f"{_FIELDS.get(name, name)}:{value}"


def masked(answer: Any) -> Any:
    """An answer without the ID numbers and addresses of anybody."""
    if isinstance(answer, list):
        return [masked(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        name: _hidden(value) if name in _PERSONAL else masked(value)
        for name, value in answer.items()
    }


_PERSONAL = frozenset({"members", "spouse_id_number", "address", "site"})


def _hidden(value: Any) -> Any:
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return "*" if value else value
