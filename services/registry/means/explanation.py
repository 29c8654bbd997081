"""A finding as a citizen reads it, in Chinese, and as JSON that holds every number. Pure."""

from typing import Any

from services.registry.means.facts import Finding, Reason, Step, Used
from shared.contracts.registry import Category

NAMES = {
    Category.TEKUN: "特困人员",
    Category.DIBAO: "最低生活保障",
    Category.DIBAO_MARGINAL: "低保边缘家庭",
    Category.EXPENDITURE_BASED: "支出型贫困家庭",
    Category.GROUP_4600: "原4600元以下农户",
}


def told(finding: Finding) -> str:
    """The reckoning in words: each step with its law and documents, then each category.

    Example of a line: ``4. 最低生活保障：人均月收入400.00元，须低于600.00元：符合（SA 第9条）``.
    """
    lines = [f"{at}. {_line(step)}" for at, step in enumerate(finding.steps, start=1)]
    lines.append("结论：")
    for verdict in finding.verdicts:
        name = NAMES[verdict.category]
        reasons = "；".join(reason.sentence for reason in verdict.reasons)
        lines.append(f"  {name}：" + ("符合" if verdict.eligible else f"不符合（{reasons}）"))
    if finding.doubts:
        doubts = "；".join(reason.sentence for reason in finding.doubts)
        lines.append(f"  待核实（不作为拒绝理由）：{doubts}")
    return "\n".join(lines)


def _line(step: Step) -> str:
    documents = "；".join(
        f"{used.key}={used.value.normalize():f}，{used.document_number}" for used in step.used
    )
    source = f"（{step.source}）" if step.source else ""
    return f"{step.title}：{step.words}{source}" + (f"［{documents}］" if documents else "")


def as_json(finding: Finding) -> dict[str, Any]:
    """The same as plain values: money as text, dates in ISO form; kept with the decision."""
    return {
        "rule_set": finding.rule_set.value,
        "decided_on": finding.decided_on.isoformat(),
        "n": finding.n,
        "counted": [
            {
                "person_id": str(each.person_id),
                "counts": each.counts,
                **_reason(each.reason),
            }
            for each in finding.counted
        ],
        "income": str(finding.income),
        "rigid": str(finding.rigid),
        "per_capita_month": str(finding.per_capita_month),
        "per_capita_year": str(finding.per_capita_year),
        "verdicts": [
            {
                "category": verdict.category.value,
                "eligible": verdict.eligible,
                "reasons": [_reason(each) for each in verdict.reasons],
            }
            for verdict in finding.verdicts
        ],
        "tekun_persons": [str(each) for each in finding.tekun_persons],
        "primary": finding.primary.value if finding.primary else None,
        "tags": [tag.value for tag in finding.tags],
        "doubts": [_reason(each) for each in finding.doubts],
        "steps": [_step(each) for each in finding.steps],
    }


def _reason(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "sentence": reason.sentence}


def _step(step: Step) -> dict[str, Any]:
    return {
        "code": step.code,
        "title": step.title,
        "words": step.words,
        "numbers": {name: str(value) for name, value in step.numbers.items()},
        "source": step.source,
        "used": [_used(each) for each in step.used],
    }


def _used(used: Used) -> dict[str, str]:
    return {
        "key": used.key,
        "value": str(used.value),
        "valid_from": used.valid_from.isoformat(),
        "document_number": used.document_number,
    }
