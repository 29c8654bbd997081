"""Under which keys the values of the means test are kept (policy section 3, parameter registry).

The first three are relief's standards, the others the registry's own parameters; what they may be
stands in ``parameters``.
"""

from typing import Final

DIBAO_LINE: Final = "dibao_line"
MINIMUM_WAGE: Final = "minimum_wage"
DISPOSABLE_INCOME: Final = "disposable_income_ref"
STANDARDS: Final = (DIBAO_LINE, MINIMUM_WAGE, DISPOSABLE_INCOME)

WINDOW: Final = "income_window_months"
DIBAO_STRICT: Final = "dibao.strict"
MARGINAL_RATIO: Final = "marginal.ratio"
MARGINAL_INCLUSIVE: Final = "marginal.inclusive"
MARGINAL_CAPPED: Final = "marginal.cap_by_wage"
MONEY_DIBAO: Final = "asset.money_multiple.dibao"
MONEY_WIDER: Final = "asset.money_multiple.wider"
VEHICLES: Final = "asset.vehicles"
DWELLINGS: Final = "asset.dwellings"
CAPITAL: Final = "asset.capital"
SUPPORT_K: Final = "support.k"
SUPPORT_RATE: Final = "support.rate"
LABOR_COEFFICIENT: Final = "labor.coefficient"
RIGID_MONTHS: Final = "expenditure.min_months"
RIGID_RATIO: Final = "expenditure.ratio"
RIGID_CEILING: Final = "expenditure.income_ceiling"
EXCLUDE_MARGINAL: Final = "expenditure.exclude_marginal"
G4600_INCLUSIVE: Final = "g4600.inclusive"
EXEMPT_OLD_AGE: Final = "exempt.old_age_allowance"
EXEMPT_DISABILITY: Final = "exempt.disability_subsidy"
EXEMPT_EDUCATION: Final = "exempt.education_subsidy"
