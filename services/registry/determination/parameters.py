"""The parameters of applications: time limits that a county may shorten, the county's sample."""

from decimal import Decimal

from services.registry.determination.deadlines import KEY, LAW, TEKUN
from services.registry.determination.rules import sample_key, sample_rate_by_law
from shared.contracts.registry import Category, RuleSet
from shared.parameters import Definition

_LIMITS = {
    **{
        f"{KEY}.{clock}.{law}": days
        for law, clocks in LAW.items()
        for clock, days in clocks.items()
    },
    **{
        f"{KEY}.{clock}.{law}.tekun": days
        for law, clocks in TEKUN.items()
        for clock, days in clocks.items()
    },
}
_DEADLINES = tuple(
    Definition(
        key=key,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(days),
        description_zh=f"办理时限(工作日),法定上限{days}日,县级只能缩短",
        scopes=("county", "city"),
    )
    for key, days in _LIMITS.items()
)
_SAMPLES = tuple(
    Definition(
        key=sample_key(law, category),
        unit="ratio",
        minimum=sample_rate_by_law(law, category),
        maximum=Decimal(1),
        description_zh="县级入户抽查比例,不得低于法定比例;备案的近亲属一律入户",
        scopes=("county", "city"),
    )
    for law in RuleSet
    for category in (Category.DIBAO, Category.TEKUN)
)

DEFINITIONS = {each.key: each for each in (*_DEADLINES, *_SAMPLES)}
"""The law's own figure is the bound, and holds where a county has set nothing (R29)."""
