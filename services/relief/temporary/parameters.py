"""The figures of temporary assistance, by county and date (policy section 3, ``temp.*``)."""

from decimal import Decimal

from shared.parameters import Definition

FACTOR_MAX = "temp.factor_max"
FACTOR_SPECIAL = "temp.factor_special"
TOWNSHIP_LIMIT = "temp.township_limit"
PER_YEAR = "temp.per_year"
PAPER_DAYS = "temp.paper_working_days"

_FIGURES = (
    (
        FACTOR_MAX,
        "lines/person",
        "0.01",
        "6",
        "临时救助一次救助倍数上限(低保月标准倍数,法定不超过6)",
    ),
    (FACTOR_SPECIAL, "lines/person", "0.01", "12", "特别困难临时救助倍数上限(法定不超过12)"),
    (TOWNSHIP_LIMIT, "yuan", "0", "100000", "乡镇(街道)直接审批急难型临时救助的限额(元)"),
    (PER_YEAR, "times/cause/year", "1", "12", "同一家庭同一原因每年临时救助次数"),
    (PAPER_DAYS, "working days", "1", "60", "先行救助后补办材料的期限(工作日)"),
)
DEFINITIONS = {
    key: Definition(
        key=key,
        unit=unit,
        minimum=Decimal(least),
        maximum=Decimal(most),
        description_zh=words,
        scopes=("county", "city"),
    )
    for key, unit, least, most, words in _FIGURES
}
"""6 and 12 are the law's (ZJ 39); the other bounds catch a value typed in the wrong unit."""
