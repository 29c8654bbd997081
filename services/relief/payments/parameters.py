"""The policy parameters of payments."""

from decimal import Decimal

from shared.parameters import Definition

APPROVAL_THRESHOLD = "payments.approval_threshold"
"""A run of more than this in all is approved by a second officer before it goes to the bank."""

DEFINITIONS = {
    APPROVAL_THRESHOLD: Definition(
        key=APPROVAL_THRESHOLD,
        unit="yuan",
        minimum=Decimal(0),
        maximum=Decimal(1_000_000_000),
        description_zh="发放批次总额超过此数须经第二名经办人员批准后方可送银行（元）",
        scopes=("county", "city"),
    ),
}
