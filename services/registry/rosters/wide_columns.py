"""The full roster's 80 columns: a row a person, with all that the registry keeps of the household.

Policy section 8 (year-end roster) and 9 (tables of the national anti-return system); units stand in
the headers. A household's values are repeated in each of its people's rows, so that a filter or a
pivot table finds them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.registry.rosters.packing import DAY, MONEY, TEXT

SHEET: Final = "全量花名册"


class Kind(Enum):
    """How a column's cells are written: the style; whether they are text is for the value."""

    WORDS = None
    """Text or whole numbers, in the sheet's plain style."""
    CODE = TEXT
    """Digits that must stay text whoever edits them."""
    DAY = DAY
    MONEY = MONEY


@dataclass(frozen=True, slots=True)
class WideColumn:
    """One column: the key of its value, its header with the unit, the block it belongs to."""

    key: str
    title: str
    block: str
    kind: Kind = Kind.WORDS
    of_person: bool = False


def _block(
    block: str, *columns: tuple[str, str, Kind], of_person: bool = False
) -> list[WideColumn]:
    return [WideColumn(key, title, block, kind, of_person) for key, title, kind in columns]


_W, _C, _D, _M = Kind.WORDS, Kind.CODE, Kind.DAY, Kind.MONEY

WIDE: Final[tuple[WideColumn, ...]] = (
    *_block(
        "家庭",
        ("serial", "户序号", _W),
        ("township", "乡镇（街道）", _W),
        ("village", "行政村（社区）", _W),
        ("division_code", "行政区划代码", _C),
        ("household_no", "户编号", _C),
        ("head_name", "户主姓名", _W),
        ("head_id_number", "户主公民身份号码", _C),
    ),
    *_block(
        "家庭成员",
        ("name", "姓名", _W),
        ("relation", "与户主关系", _W),
        ("id_number", "公民身份号码", _C),
        ("sex", "性别", _W),
        ("birth_date", "出生日期", _D),
        ("age", "年龄（周岁）", _W),
        ("person_phone", "本人联系电话", _C),
        ("health", "健康状况", _W),
        ("disability_kind", "残疾类别", _W),
        ("disability_grade", "残疾等级", _W),
        ("labor_ability", "劳动能力", _W),
        ("willing_to_work", "是否有就业愿望", _W),
        ("education", "文化程度", _W),
        ("school_stage", "在校生状况", _W),
        ("work", "就业状况", _W),
        ("insured", "是否参加城乡居民医保", _W),
        ("left_behind", "是否留守", _W),
        ("counted", "是否计入共同生活人口", _W),
        of_person=True,
    ),
    *_block(
        "认定",
        ("national_no", "国家系统户编号", _C),
        ("hukou_no", "户口簿户号", _C),
        ("phone", "联系电话", _C),
        ("account", "一卡通账号", _C),
        ("people", "家庭人口数（人）", _W),
        ("n", "共同生活人口数（人）", _W),
        ("category", "困难类型", _W),
        ("tags", "其他困难类型", _W),
        ("causes", "致贫原因", _W),
        ("state", "档案状态", _W),
        ("origin", "建档来源", _W),
        ("opened_on", "建档日期", _D),
        ("rule_set", "认定依据", _W),
        ("effective_from", "现状生效日期", _D),
        ("keep_policy_until", "政策延续至", _D),
        ("episode", "第几次认定", _W),
        ("identified_on", "认定日期", _D),
        ("lifted_on", "脱贫日期", _D),
        ("exited_on", "退出日期", _D),
    ),
    *_block(
        "家庭年收入",
        ("income_wage", "工资性收入（元）", _M),
        ("income_business", "经营净收入（元）", _M),
        ("income_property", "财产净收入（元）", _M),
        ("income_transfer", "转移净收入（元）", _M),
        ("income", "年收入合计（元）", _M),
        ("income_a_head", "年人均收入（元）", _M),
    ),
    *_block(
        "家庭年刚性支出",
        ("rigid_medical", "医疗自付（元）", _M),
        ("rigid_education", "教育（元）", _M),
        ("rigid_disability", "残疾康复（元）", _M),
        ("rigid_other", "其他（元）", _M),
        ("rigid", "刚性支出合计（元）", _M),
    ),
    *_block(
        "财产住房",
        ("assets_financial", "金融资产（元）", _M),
        ("vehicles", "机动车（辆）", _W),
        ("house_grade", "住房危险等级", _W),
    ),
    *_block(
        "保障",
        ("living", "基本生活有保障", _W),
        ("housing", "住房安全有保障", _W),
        ("medical", "基本医疗有保障", _W),
        ("schooling", "义务教育有保障", _W),
        ("employment", "就业有保障", _W),
    ),
    *_block(
        "帮扶",
        ("aid_on", "最近帮扶日期", _D),
        ("aid", "最近帮扶金额（元）", _M),
        ("aid_this_year", "本年已发放帮扶金额（元）", _M),
        ("helper", "帮扶责任人", _W),
        ("helper_unit", "帮扶单位", _W),
        ("helper_phone", "帮扶责任人电话", _C),
        ("paired_on", "结对日期", _D),
        ("plan_approved_on", "帮扶方案批准日期", _D),
        ("target_income", "方案目标年人均收入（元）", _M),
        ("measures", "方案措施数（项）", _W),
        ("measures_done", "已落实措施数（项）", _W),
        ("visited_on", "最近走访日期", _D),
        ("visits_this_year", "本年走访次数（次）", _W),
        ("checked_on", "最近收入核查日期", _D),
        ("checked_income", "核查月人均收入（元）", _M),
        ("check_passed", "收入核查是否达标", _W),
        ("review_due_on", "下次复核日期", _D),
    ),
)
