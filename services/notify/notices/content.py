"""What a notice prints, and what it must never print (N12 art. 29; N21 art. 24; ZJ art. 55).

Pure. A notice names the applicant, the number of members, the category, the amount, the village,
the period and whom to complain to, nothing else; what was composed is checked before it is posted.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.notify.notices.rules import Content
from shared.contracts.notices import NoticeKind
from shared.contracts.registry import Category

TITLES = {
    NoticeKind.IDENTIFICATION: "拟认定公示",
    NoticeKind.LIFT: "拟脱贫公示",
    NoticeKind.EXIT: "拟退出公示",
    NoticeKind.TEMPORARY_ASSISTANCE: "拟给予临时救助公示",
}
CATEGORIES = {
    Category.TEKUN: "特困人员",
    Category.DIBAO: "最低生活保障家庭",
    Category.DIBAO_MARGINAL: "最低生活保障边缘家庭",
    Category.EXPENDITURE_BASED: "支出型贫困家庭",
    Category.GROUP_4600: "原4600元以下动态管理对象",
}
NO_NAME = "监护人代为申请，未成年人姓名不予公示"
"""Printed where the household has no adult: its applicant is a guardian and its members minors."""

ILLNESS_WORDS = (
    "患病", "重病", "大病", "疾病", "慢性病", "病情", "病史", "癌", "肿瘤", "白血病", "尿毒症",
    "透析", "艾滋", "残疾", "残障", "伤残", "智障", "精神", "瘫痪",
)  # fmt: skip
"""Words of illness and disability that no notice may hold."""

_DIGITS_APART = re.compile(r"(?<=[0-9])[\s\-()—]+(?=[0-9])")
_RUN = re.compile(r"[0-9]{7,}[Xx]?")


class Rule(StrEnum):
    """Which rule a forbidden text breaks."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    BANK_ACCOUNT = "bank_account"
    ILLNESS = "illness"
    MINOR_NAME = "minor_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What a notice adds to its request when it is posted.

    ``village`` and ``township`` are names (a village may be missing, where the household is filed
    at its township); ``complaints_to`` is a bureau, ``phone`` its number where one is set.
    """

    name: str | None
    village: str | None
    township: str | None
    posted_on: date
    last_day: date
    complaints_to: str
    phone: str | None = None


def compose(content: Content, posting: Posting) -> tuple[str, ...]:
    """The lines of a notice. Example: three people, dibao, 600 yuan ->

    拟认定公示 / 申请人：张三丰 / 家庭人口：3人 / 类别：最低生活保障家庭 / 金额：每月600.00元 /
    所在村（社区）：水南街道大竹溪村 / 公示期：2026年10月26日张贴，次日起7日，至2026年11月2日止 /
    公示期内如有异议，请向松阳县民政局反映
    """
    lines = [
        TITLES[content.kind],
        f"申请人：{posting.name or NO_NAME}",
        *_what(content),
    ]
    lines.append(f"所在村（社区）：{posting.township or ''}{posting.village or ''}")
    lines.append(_period(posting))
    phone = f"，电话：{posting.phone}" if posting.phone else ""
    lines.append(f"公示期内如有异议，请向{posting.complaints_to}反映{phone}")
    return tuple(lines)


def complaints_to(category: Category | None, county_name: str) -> str:
    """The bureau that hears objections, in words: civil affairs, and for the 4600 group 农办.

    Example: dibao in 松阳县 -> 松阳县民政局 (section 1: the source of record of each category).
    """
    office = "农办（扶贫办）" if category is Category.GROUP_4600 else "民政局"
    return f"{county_name}{office}"


def forbidden(
    text: str,
    *,
    phone: str | None = None,
    minors_names: Collection[str] = (),
    words: Collection[str] = ILLNESS_WORDS,
) -> Rule | None:
    """Which rule a text breaks, the first of them; None where it may be posted.

    Full-width digits are read as digits, those written apart as one number, and ``phone``, the
    complaint phone, is passed over; any other number of seven digits and more is some phone.

    Examples: 331102199003070011 -> id_number; 138 1234 0000 -> phone; 户主患病 -> illness; the
    complaint phone 0578-8062345 -> None.
    """
    plain = _numbers_joined(text)
    rule = _number_fault(plain, _RUN.findall(_numbers_joined(phone or "")))
    if rule is not None:
        return rule
    if any(word in plain for word in words):
        return Rule.ILLNESS
    if any(name and name in plain for name in minors_names):
        return Rule.MINOR_NAME
    return None


def _what(content: Content) -> list[str]:
    """People, category and amount a month; of temporary assistance whom it helps and the sum.

    That a household is on dibao has nothing to do with what it is given once, so it is not told.
    """
    once = content.kind is NoticeKind.TEMPORARY_ASSISTANCE
    lines = [f"{'救助' if once else '家庭'}人口：{content.n}人"]
    if once:
        lines.append("项目：临时救助")
    elif content.category is not None:
        lines.append(f"类别：{CATEGORIES[content.category]}")
    if content.amount is not None:
        lines.append(f"金额：{'一次性' if once else '每月'}{content.amount:.2f}元")
    return lines


def _period(posting: Posting) -> str:
    days = (posting.last_day - posting.posted_on).days
    return f"公示期：{_day(posting.posted_on)}张贴，次日起{days}日，至{_day(posting.last_day)}止"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _numbers_joined(text: str) -> str:
    return _DIGITS_APART.sub("", unicodedata.normalize("NFKC", text))


def _number_fault(plain: str, allowed: Collection[str]) -> Rule | None:
    for run in _RUN.findall(plain):
        if run in allowed:
            continue
        digits = len(run)
        if digits in {15, 18}:
            return Rule.ID_NUMBER
        return Rule.BANK_ACCOUNT if digits >= 12 else Rule.PHONE
    return None
