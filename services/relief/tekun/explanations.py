"""A decision told again: as JSON that recomputes to the same decision years later, and as Chinese
sentences a citizen can check with a pencil (C57; PIPL art. 24 on explaining automated decisions).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.relief.schedules.telling import (
    Step,
    day,
    document,
    figure_as_json,
    figure_from_json,
    money,
    number,
    steps_as_json,
)
from services.relief.standards.rules import DIBAO_LINE, MINIMUM_WAGE
from services.relief.tekun.rules import (
    BASIC_MULTIPLE,
    CARE,
    Decision,
    Form,
    Payee,
    Reason,
    Share,
    Support,
    parts,
)
from services.relief.tekun.selfcare import Assessment, Item, Level
from shared.contracts.registry import FactPeriod, RuleSet

ITEMS_ZH = {
    Item.EAT: "吃饭",
    Item.DRESS: "穿衣",
    Item.BED: "上下床",
    Item.TOILET: "如厕",
    Item.WALK: "室内行走",
    Item.BATHE: "洗澡",
}
LEVELS_ZH = {
    Level.ABLE: "具备生活自理能力",
    Level.PARTLY: "部分丧失生活自理能力",
    Level.LOST: "完全丧失生活自理能力",
}
PAYEES_ZH = {
    Payee.PERSON: "分散供养，发放给本人。",
    Payee.INSTITUTION: "集中供养，拨付供养服务机构。",
    Payee.SEVERAL: "家庭成员供养形式不同，须由经办人员分别办理。",
}
NOTHING_OWED = {
    Reason.LIFTED: "家庭已脱贫，且没有继续享受政策的期限，停发救助供养金。",
    Reason.EXITED: "家庭已退出救助供养，且没有继续享受政策的期限，停发救助供养金。",
    Reason.CLOSED: "家庭档案已注销，停发救助供养金。",
    Reason.NOT_ASSISTED: "尚未认定为特困人员，不发救助供养金。",
    Reason.NOT_TEKUN: "家庭不属于特困人员，不发救助供养金。",
}
FIGURES_ZH = {
    DIBAO_LINE: "低保标准",
    MINIMUM_WAGE: "最低月工资标准",
    BASIC_MULTIPLE: "基本生活标准倍数",
    **{CARE[level]: f"照料护理标准比例（{words}）" for level, words in LEVELS_ZH.items()},
}


def explain(decision: Decision) -> dict[str, Any]:
    """The decision's facts, figures, steps and text as JSON; ``read`` gives the same one back."""
    steps = steps_as_json(_steps(decision))
    return {
        "rule_set": decision.rule_set.value,
        "clauses": ["R13", "R24", "R25"],
        "period": decision.period.model_dump(mode="json"),
        "basis": decision.basis.model_dump(mode="json"),
        "people": [_share_as_json(share) for share in decision.shares],
        "figures": {key: figure_as_json(figure) for key, figure in decision.figures.items()},
        "missing": list(decision.missing),
        "steps": steps,
        "text": "".join(step["text"] for step in steps),
    }


def read(stored: Mapping[Any, Any]) -> Decision:
    """The decision of a stored grant (its row as a mapping), from the facts kept with it."""
    kept = stored["explanation"]
    period = FactPeriod.model_validate(kept["period"])
    same = kept["basis"] == kept["period"]
    return Decision(
        from_month=stored["from_month"],
        amount=stored["amount"],
        entitled=stored["entitled"],
        reason=Reason(stored["reason"]),
        rule_set=RuleSet(kept["rule_set"]),
        period=period,
        basis=period if same else FactPeriod.model_validate(kept["basis"]),
        shares=tuple(_share_from_json(share) for share in kept["people"]),
        figures={key: figure_from_json(figure) for key, figure in kept["figures"].items()},
        missing=tuple(kept["missing"]),
    )


def _share_as_json(share: Share) -> dict[str, Any]:
    assessment, support = share.assessment, share.support
    return {
        "person_id": _text(share.person_id),
        "assessment": None
        if assessment is None
        else {
            "assessment_id": str(assessment.assessment_id),
            "assessed_on": assessment.assessed_on.isoformat(),
            "confirmed_on": assessment.confirmed_on.isoformat(),
            "failed": [item.value for item in assessment.failed],
            "level": assessment.level.value,
            "document_number": assessment.document_number,
            "attachment_id": _text(assessment.attachment_id),
        },
        "support": None
        if support is None
        else {
            "support_id": str(support.support_id),
            "form": support.form.value,
            "valid_from": support.valid_from.isoformat(),
            "institution_id": _text(support.institution_id),
        },
    }


def _share_from_json(kept: Mapping[str, Any]) -> Share:
    if kept["person_id"] is None:
        return Share(person_id=None)
    person_id = UUID(kept["person_id"])
    assessment, support = kept["assessment"], kept["support"]
    return Share(
        person_id=person_id,
        assessment=None if assessment is None else _assessment_from_json(person_id, assessment),
        support=None if support is None else _support_from_json(person_id, support),
    )


def _assessment_from_json(person_id: UUID, kept: Mapping[str, Any]) -> Assessment:
    return Assessment(
        assessment_id=UUID(kept["assessment_id"]),
        person_id=person_id,
        assessed_on=date.fromisoformat(kept["assessed_on"]),
        confirmed_on=date.fromisoformat(kept["confirmed_on"]),
        failed=tuple(Item(item) for item in kept["failed"]),
        document_number=kept["document_number"],
        attachment_id=_id(kept["attachment_id"]),
    )


def _support_from_json(person_id: UUID, kept: Mapping[str, Any]) -> Support:
    return Support(
        support_id=UUID(kept["support_id"]),
        person_id=person_id,
        form=Form(kept["form"]),
        valid_from=date.fromisoformat(kept["valid_from"]),
        institution_id=_id(kept["institution_id"]),
    )


def _text(given: UUID | None) -> str | None:
    return None if given is None else str(given)


def _id(kept: str | None) -> UUID | None:
    return None if kept is None else UUID(kept)


def _steps(decision: Decision) -> Iterator[Step]:
    month = decision.from_month
    begins = f"自{month.year}年{month.month}月起执行。"
    if not decision.entitled:
        since = day(decision.period.valid_from)
        yield "stopped", Decimal(0), f"{since}起，{NOTHING_OWED[decision.reason]}{begins}"
        return
    yield from _household_steps(decision)
    if not decision.shares:
        yield "amount", Decimal(0), f"没有计入人口的人员，不发救助供养金。{begins}"
        return
    if decision.amount is None:
        lacking = "、".join(FIGURES_ZH[key] for key in decision.missing)
        text = f"当地该月尚无经批准的{lacking}，金额待标准批准后计算。"
        yield "standard_missing", None, text + begins
        return
    yield _basic_step(decision)
    for number_of, share in enumerate(decision.shares, start=1):
        yield _care_step(decision, share, _who(decision, number_of))
    yield _amount_step(decision, decision.amount, begins)


def _household_steps(decision: Decision) -> Iterator[Step]:
    basis = decision.basis
    people = f"{day(basis.valid_from)}起，属特困人员，救助供养{basis.n}人。"
    yield "people", Decimal(basis.n), people
    if not decision.period.state.on_assistance and decision.period.keep_policy_until is not None:
        until = day(decision.period.keep_policy_until)
        yield "kept", None, f"家庭已脱贫或退出，政策保留至{until}，按原核定情况继续发放。"


def _basic_step(decision: Decision) -> Step:
    line, multiple = decision.figures[DIBAO_LINE], decision.figures[BASIC_MULTIPLE]
    basic = parts(Share(person_id=None), decision.figures)[0]
    exact = line.value * multiple.value
    text = (
        f"低保标准每人每月{money(line.value)}元，{day(line.valid_from)}起执行，{document(line)}；"
        f"基本生活标准为其{number(multiple.value)}倍，{document(multiple)}："
        f"{money(line.value)}元×{number(multiple.value)}={number(exact)}元，"
        f"不足一元的按一元计，每人每月{money(basic)}元。"
    )
    return "basic", basic, text


def _care_step(decision: Decision, share: Share, who: str) -> Step:
    assessment = share.assessment
    if assessment is None:
        return "assessment_missing", None, f"{who}尚未完成生活自理能力评估，暂只发放基本生活部分。"
    wage, ratio = decision.figures[MINIMUM_WAGE], decision.figures[CARE[assessment.level]]
    care = parts(share, decision.figures)[1]
    percent = number(ratio.value * 100)
    text = (
        f"{who}{_looked_at(assessment)}，为{LEVELS_ZH[assessment.level]}；"
        f"最低月工资标准{money(wage.value)}元，{day(wage.valid_from)}起执行，{document(wage)}；"
        f"照料护理标准为其{percent}%，{document(ratio)}："
        f"{money(wage.value)}元×{percent}%={number(wage.value * ratio.value)}元，"
        f"不足一元的按一元计，每月{money(care)}元。"
    )
    return "care", care, text


def _looked_at(assessment: Assessment) -> str:
    paper = f"（评估文件：{assessment.document_number}）" if assessment.document_number else ""
    failed = [ITEMS_ZH[item] for item in assessment.failed]
    found = f"有{len(failed)}项不能自主完成（{'、'.join(failed)}）" if failed else "均能自主完成"
    return f"{day(assessment.assessed_on)}评估{paper}，六项指标{found}"


def _amount_step(decision: Decision, amount: Decimal, begins: str) -> Step:
    each = [parts(share, decision.figures) for share in decision.shares]
    basic = each[0][0]
    shown = [f"{money(basic)}元×{len(each)}人" if len(each) > 1 else f"{money(basic)}元"]
    shown += [f"{money(care)}元" for _, care in each if care]
    summed = f"{'+'.join(shown)}={money(amount)}元"
    return "amount", amount, f"每月发放{summed}。{PAYEES_ZH[decision.payee]}{begins}"


def _who(decision: Decision, number_of: int) -> str:
    return "本人" if len(decision.shares) == 1 else f"第{number_of}人"
