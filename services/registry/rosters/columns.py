"""The county's roster template (花名册): its 32 columns and the words its cells may hold.

Policy section 9 (Excel habits): two header rows with the unit in the header, words for codes.
Reading and writing both go by these tables, so that an export reads back as what it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from shared.contracts.registry import (
    Category,
    Cause,
    DisabilityKind,
    Education,
    Health,
    HouseGrade,
    LaborAbility,
    Relation,
    SchoolStage,
    Sex,
    Work,
)

Code = TypeVar("Code")

SHEET: Final = "花名册"
REMARKS_HEADER: Final = "导入意见"
INCOME: Final = "家庭年收入（元）"
RIGID: Final = "家庭年刚性支出（元）"
HEADER_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``group`` is the upper header where two stand over each other.

    ``of_household``: the cell is merged over the rows of the household's members.
    """

    key: str
    title: str
    group: str | None = None
    of_household: bool = True

    @property
    def label(self) -> str:
        """The header as an officer reads it: ``家庭年收入（元）·工资性收入``."""
        return f"{self.group}·{self.title}" if self.group else self.title


def _of_member(key: str, title: str) -> Column:
    return Column(key, title, of_household=False)


COLUMNS: Final[tuple[Column, ...]] = (
    Column("serial", "序号"),
    Column("township", "乡镇（街道）"),
    Column("village", "行政村（社区）"),
    Column("head_name", "户主姓名"),
    Column("count", "家庭人口数"),
    Column("category", "困难类型"),
    Column("causes", "主要致贫原因"),
    _of_member("name", "姓名"),
    _of_member("relation", "与户主关系"),
    _of_member("id_number", "公民身份号码"),
    _of_member("sex", "性别"),
    _of_member("health", "健康状况"),
    _of_member("disability", "残疾类别及等级"),
    _of_member("labor_ability", "劳动能力"),
    _of_member("education", "文化程度"),
    _of_member("school_stage", "在校生状况"),
    _of_member("work", "就业状况"),
    _of_member("insured", "是否参加城乡居民医保"),
    Column("wage", "工资性收入", INCOME),
    Column("business", "经营净收入", INCOME),
    Column("property", "财产净收入", INCOME),
    Column("transfer", "转移净收入", INCOME),
    Column("medical", "医疗自付", RIGID),
    Column("schooling", "教育", RIGID),
    Column("rehabilitation", "残疾康复", RIGID),
    Column("other", "其他", RIGID),
    Column("financial", "金融资产（元）"),
    Column("vehicles", "机动车（辆）"),
    Column("house_grade", "住房危险等级"),
    Column("phone", "联系电话"),
    Column("account", "一卡通账号"),
    Column("remark", "备注"),
)
BY_KEY: Final[Mapping[str, Column]] = {column.key: column for column in COLUMNS}
IDENTITY_KEYS: Final = ("serial", "township", "village", "head_name")
"""Where one of these is filled anew, the next household begins."""

CATEGORIES: Final[Mapping[str, Category]] = {
    "特困供养": Category.TEKUN,
    "特困": Category.TEKUN,
    "特困人员": Category.TEKUN,
    "低保": Category.DIBAO,
    "低保边缘": Category.DIBAO_MARGINAL,
    "支出型": Category.EXPENDITURE_BASED,
    "原4600元以下": Category.GROUP_4600,
}
CAUSES: Final[Mapping[str, Cause]] = {
    "因病": Cause.ILLNESS,
    "因残": Cause.DISABILITY,
    "因学": Cause.SCHOOLING,
    "因灾": Cause.DISASTER,
    "因意外": Cause.ACCIDENT,
    "因失业": Cause.JOB_LOSS,
    "自身发展动力不足": Cause.LACK_OF_MOTIVATION,
    "缺劳力": Cause.LACK_OF_LABOR,
    "缺技术": Cause.LACK_OF_SKILL,
    "缺资金": Cause.LACK_OF_FUNDS,
    "因老": Cause.OLD_AGE,
    "因安全饮水": Cause.WATER_SAFETY,
    "因住房": Cause.HOUSING,
}
RELATIONS: Final[Mapping[str, Relation]] = {
    "户主": Relation.HEAD,
    "本人": Relation.HEAD,
    "配偶": Relation.SPOUSE,
    "子": Relation.SON,
    "儿子": Relation.SON,
    "女": Relation.DAUGHTER,
    "女儿": Relation.DAUGHTER,
    "父亲": Relation.FATHER,
    "母亲": Relation.MOTHER,
    "孙子女": Relation.GRANDCHILD,
    "祖父母": Relation.GRANDPARENT,
    "兄弟姐妹": Relation.SIBLING,
    "其他": Relation.OTHER,
}
SEXES: Final[Mapping[str, Sex]] = {"男": Sex.MALE, "女": Sex.FEMALE}
HEALTH: Final[Mapping[str, Health]] = {
    "健康": Health.HEALTHY,
    "长期慢性病": Health.CHRONIC_ILLNESS,
    "患有大病": Health.SERIOUS_ILLNESS,
    "残疾": Health.DISABLED,
}
DISABILITY_KINDS: Final[Mapping[str, DisabilityKind]] = {
    "视力": DisabilityKind.SIGHT,
    "听力": DisabilityKind.HEARING,
    "言语": DisabilityKind.SPEECH,
    "肢体": DisabilityKind.LIMB,
    "智力": DisabilityKind.INTELLECTUAL,
    "精神": DisabilityKind.MENTAL,
    "多重": DisabilityKind.MULTIPLE,
}
GRADES: Final[Mapping[str, int]] = {"一": 1, "二": 2, "三": 3, "四": 4}
LABOR: Final[Mapping[str, LaborAbility]] = {
    "技能劳动力": LaborAbility.SKILLED,
    "普通劳动力": LaborAbility.ORDINARY,
    "弱劳动力": LaborAbility.WEAK,
    "丧失劳动力": LaborAbility.LOST,
    "无劳动力": LaborAbility.NONE,
}
EDUCATION: Final[Mapping[str, Education]] = {
    "文盲或半文盲": Education.ILLITERATE,
    "小学": Education.PRIMARY,
    "初中": Education.JUNIOR,
    "高中": Education.SENIOR,
    "大专": Education.JUNIOR_COLLEGE,
    "本科": Education.BACHELOR,
    "本科及以上": Education.BACHELOR,
}
SCHOOL: Final[Mapping[str, SchoolStage]] = {
    "非在校生": SchoolStage.NOT_AT_SCHOOL,
    "学前教育阶段": SchoolStage.PRESCHOOL,
    "小学": SchoolStage.PRIMARY,
    "初中": SchoolStage.JUNIOR,
    "普通高中": SchoolStage.SENIOR,
    "中职": SchoolStage.VOCATIONAL,
    "大专": SchoolStage.JUNIOR_COLLEGE,
    "本科": SchoolStage.COLLEGE,
}
WORK: Final[Mapping[str, Work]] = {
    "务农": Work.FARMING,
    "灵活就业": Work.FLEXIBLE,
    "县内务工": Work.MIGRANT_IN_COUNTY,
    "省内务工": Work.MIGRANT_IN_PROVINCE,
    "省外务工": Work.MIGRANT_OUT_OF_PROVINCE,
    "失业": Work.UNEMPLOYED,
    "未就业": Work.NOT_WORKING,
}
INSURED: Final[Mapping[str, bool]] = {"是": True, "否": False}
HOUSE_GRADES: Final[Mapping[str, HouseGrade]] = {grade.value: grade for grade in HouseGrade}


def word_of(words: Mapping[str, Code], code: Code | None) -> str:
    """The template's word for a code, the first where several mean it; empty for no code."""
    if code is None:
        return ""
    return next(word for word, meant in words.items() if meant == code)


def words_by_code(words: Mapping[str, Code]) -> dict[Code, str]:
    """The template's word for each code, the first where several mean it."""
    return {code: word for word, code in reversed(list(words.items()))}


class Severity(StrEnum):
    """What a finding does: refuse the household, warn about it, or only note something."""

    REJECT = "reject"
    WARN = "warn"
    NOTE = "note"


class Verdict(StrEnum):
    """What becomes of one household of the sheet; ABSENT is one the sheet does not hold."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    ABSENT = "absent"
