"""A decision told again: as JSON from which its sum is reckoned anew years later, and as Chinese
sentences that a citizen can check with a pencil (C57; PIPL art. 24).

Words that an officer wrote stay encrypted beside it and join the text only when it is read.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.relief.temporary.rules import Award, Case, Cause, Kind, Level, Term, Terms, amount
from shared.contracts.registry import RuleSet

CAUSES = {
    Cause.FIRE: "火灾",
    Cause.ACCIDENT: "意外事故",
    Cause.ILLNESS: "患病",
    Cause.SCHOOLING: "就学",
    Cause.DISASTER: "自然灾害",
    Cause.OTHER: "其他原因",
}
KINDS = {Kind.URGENT: "急难型", Kind.EXPENDITURE: "支出型"}
LAW = "依据《社会救助暂行办法》和《浙江省社会救助条例》第三十九条、第四十条。"
REMEDY = (
    "如不服本决定，可以自收到本决定书之日起六十日内依法申请行政复议，"
    "也可以自收到本决定书之日起六个月内依法向人民法院提起行政诉讼。"
)
"""The right of reconsideration (社会救助暂行办法 art. 65), as every refusal states it."""
LEVELS = {Level.TOWNSHIP: "乡镇人民政府（街道办事处）", Level.COUNTY: "县级民政部门"}

Step = tuple[str, Decimal | None, str]


def explain(
    case: Case,
    terms: Terms | None,
    *,
    cause: Cause,
    level: Level,
    decided_on: date,
    award: Award | None,
    papers_due_on: date | None = None,
) -> dict[str, Any]:
    """Facts, figures with documents, steps and text; a refusal has neither award nor terms."""
    steps = list(_asked(case, cause))
    if award is None or terms is None:
        steps.append(("refused", Decimal(0), f"{_day(decided_on)}{LEVELS[level]}决定不予救助。"))
        steps.append(("remedy", None, REMEDY))
    else:
        steps += _given(case, terms, award, level, decided_on)
        if papers_due_on is not None:
            text = f"属急难情形，先行救助，有关材料须在{_day(papers_due_on)}前补齐。"
            steps.append(("papers", None, text))
    steps.append(("law", None, LAW))
    told = [
        {"code": code, "value": None if value is None else f"{value:.2f}", "text": text}
        for code, value, text in steps
    ]
    return {
        "rule_set": RuleSet.on(decided_on).value,
        "clauses": ["C18", "C19", "R22", "R23"],
        "facts": _facts(case, cause, award),
        "figures": _figures(terms),
        "steps": told,
        "text": "".join(each["text"] or "" for each in told),
    }


def whole_text(kept: Mapping[str, Any], *, outcome: str, reason: str | None) -> str:
    """The text with what the officer wrote: why it was refused, or why it is specially hard."""
    if not reason:
        return str(kept["text"])
    name = "不予救助的理由" if outcome == "refused" else "认定特别困难的理由"
    return f"{kept['text']}{name}：{reason.rstrip('。')}。"


def recompute(kept: Mapping[str, Any]) -> Decimal:
    """The sum reckoned again from the stored facts and line; 0 for a refusal."""
    factor = kept["facts"]["factor"]
    if factor is None:
        return Decimal(0)
    line = Decimal(kept["figures"]["line"]["value"])
    return amount(line, Decimal(factor), kept["facts"]["persons"])


def _asked(case: Case, cause: Cause) -> Iterator[Step]:
    text = (
        f"{_day(case.applied_on)}，家庭因{CAUSES[cause]}申请{KINDS[case.kind]}临时救助，"
        f"救助{case.persons}人。"
    )
    yield "asked", Decimal(case.persons), text
    if case.given_this_year:
        text = f"本年度已因同一原因救助{case.given_this_year}次。"
        yield "given_before", Decimal(case.given_this_year), text


def _given(
    case: Case, terms: Terms, award: Award, level: Level, decided_on: date
) -> Iterator[Step]:
    line, applied = terms.line, terms.line_applied
    yield "line", line.value, f"决定当月低保标准每人每月{_money(line.value)}元，{_document(line)}。"
    if applied is not None and applied.value != line.value:
        text = f"申请当月标准为{_money(applied.value)}元，按决定当月标准计发。"
        yield "line_applied", applied.value, text
    limit = terms.factor_max if award.hard_reason is None else terms.factor_special
    hard = "" if award.hard_reason is None else "属特别困难，"
    text = (
        f"{hard}按{_plain(award.factor)}倍计发，最高不超过{_plain(limit.value)}倍，"
        f"{_document(limit)}。"
    )
    yield "factor", award.factor, text
    total = amount(line.value, award.factor, case.persons)
    if level is Level.TOWNSHIP:
        most = terms.township_limit
        text = f"不超过乡镇审批限额{_money(most.value)}元，{_document(most)}，由乡镇先行救助。"
        yield "township_limit", most.value, text
    text = (
        f"{_money(line.value)}元×{_plain(award.factor)}倍×{case.persons}人={_money(total)}元。"
        f"{_day(decided_on)}{LEVELS[level]}决定给予临时救助{_money(total)}元"
        f"{_in_stages(award)}。"
    )
    yield "amount", total, text


def _in_stages(award: Award) -> str:
    if len(award.stages) == 1:
        return ""
    each = "、".join(f"{_day(one.due_on)}{_money(one.amount)}元" for one in award.stages)
    return f"，分{len(award.stages)}期发放：{each}"


def _facts(case: Case, cause: Cause, award: Award | None) -> dict[str, Any]:
    return {
        "kind": case.kind.value,
        "cause": cause.value,
        "persons": case.persons,
        "applied_on": case.applied_on.isoformat(),
        "given_this_year": case.given_this_year,
        "factor": None if award is None else f"{award.factor:.2f}",
        "specially_hard": award is not None and award.hard_reason is not None,
        "checked_by": sorted(case.checked_by),
        "opinion_by": case.opinion_by,
        "repeat_signed_by": sorted(case.repeat_signed_by),
    }


def _figures(terms: Terms | None) -> dict[str, Any]:
    if terms is None:
        return {}
    found = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    return {name: None if term is None else _term(term) for name, term in found.items()}


def _term(term: Term) -> dict[str, Any]:
    return {
        "key": term.key,
        "value": f"{term.value:f}",
        "valid_from": term.valid_from.isoformat(),
        "document_number": term.document_number,
        "division_code": term.division_code,
        "sample": term.sample,
    }


def _document(term: Term) -> str:
    note = "（示例标准，非官方公布）" if term.sample else ""
    return f"文件号：{term.document_number}{note}"


def _money(value: Decimal) -> str:
    return f"{value:.0f}" if value == value.to_integral_value() else f"{value:.2f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _day(value: date) -> str:
    return f"{value.year}年{value.month}月{value.day}日"
