"""The figures of the premium subsidy, by county and year (R20, section 3)."""

from decimal import Decimal

from services.relief.medical.parameters import CATEGORY_NAMES
from services.relief.premiums.rules import CONTRIBUTION, RATE
from shared.contracts.registry import Category
from shared.parameters import Definition

KEYS = (CONTRIBUTION, *(f"{RATE}.{category.value}" for category in Category))
"""All keys that a run is reckoned with."""

_ALL = (
    Definition(
        key=CONTRIBUTION,
        unit="yuan/person/year",
        minimum=Decimal(1),
        maximum=Decimal(10_000),
        description_zh="城乡居民基本医保个人缴费标准（每人每年，元）",
        scopes=("county", "city"),
    ),
    *(
        Definition(
            key=f"{RATE}.{category.value}",
            unit="ratio",
            minimum=Decimal(0),
            maximum=Decimal(1),
            description_zh=f"{name}参保资助比例（0.5即50%）",
            scopes=("county", "city"),
        )
        for category, name in CATEGORY_NAMES.items()
    ),
)

DEFINITIONS = {definition.key: definition for definition in _ALL}
"""The bounds catch a rate typed as a percentage; the law sets none."""
