"""Whether what a household owns speaks against it (R8); it is never added to income. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.registry.means import keys
from services.registry.means.facts import Asset, AssetKind, MeansParameters, Reason, Step
from shared.money import ZERO, yuan

_COUNTED = {
    AssetKind.VEHICLE: (keys.VEHICLES, "vehicles_over_limit", "拥有非豁免的机动车船"),
    AssetKind.DWELLING: (keys.DWELLINGS, "dwellings_over_limit", "拥有的住房超过规定套数"),
    AssetKind.CAPITAL: (keys.CAPITAL, "capital_over_limit", "在经营中的企业有注册资本或股份"),
}
_ANY = {
    AssetKind.RECENT_DWELLING: ("recent_dwelling", "三年内购建或高标准装修住房"),
    AssetKind.STUDY_ABROAD: ("study_abroad", "自费出国留学"),
    AssetKind.FEE_SCHOOL: ("fee_charging_school", "就读高收费学校"),
    AssetKind.OVERSEAS_TRAVEL: ("overseas_travel", "自费出境旅游"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What speaks against a household (``hits``), and what might once it is confirmed."""

    hits: tuple[Reason, ...]
    doubts: tuple[Reason, ...]
    step: Step


def look_at(assets: Iterable[Asset], parameters: MeansParameters, *, n: int, multiple: str) -> Held:
    """Whether the assets pass, by the money limit of parameter ``multiple`` (R8).

    Money a head may be ``multiple`` × L and no fen more. Example: L = 600, multiple 24, n = 2:
    28,800.00 passes, 28,800.01 does not. A hit that nobody confirmed is a doubt.
    """
    listed = list(assets)
    held = [one for one in listed if not one.exempt.strip()]
    confirmed = [one for one in held if one.confirmed]
    sure = _reasons(confirmed, parameters, n, multiple)
    all_found = _reasons(held, parameters, n, multiple)
    return Held(
        hits=sure,
        doubts=tuple(reason for reason in all_found if reason not in sure),
        step=Step(
            code=multiple,
            title="家庭财产",
            words=_words(listed, confirmed, sure, _limit(parameters, multiple) * n),
            numbers={
                "money": _total(confirmed, AssetKind.MONEY),
                "money_unconfirmed": _total(held, AssetKind.MONEY)
                - _total(confirmed, AssetKind.MONEY),
                "money_limit": _limit(parameters, multiple) * n,
                **{kind.value: _total(confirmed, kind) for kind in _COUNTED},
            },
            source="N21 第17条",
            used=(
                parameters[multiple],
                parameters[keys.DIBAO_LINE],
                *(parameters[key] for key, _, _ in _COUNTED.values()),
            ),
        ),
    )


def _words(
    listed: list[Asset], confirmed: list[Asset], hits: tuple[Reason, ...], limit: Decimal
) -> str:
    money = _total(confirmed, AssetKind.MONEY)
    parts = [f"经核实的金融资产{yuan(money)}元，限额{yuan(limit)}元"]
    parts += [f"不计入财产：{one.exempt.strip()}" for one in listed if one.exempt.strip()]
    if hits:
        parts.append("财产超过规定：" + "、".join(hit.sentence for hit in hits))
    else:
        parts.append("财产未超过规定")
    return "；".join(parts)


def _reasons(
    assets: list[Asset], parameters: MeansParameters, n: int, multiple: str
) -> tuple[Reason, ...]:
    found = []
    if _total(assets, AssetKind.MONEY) > _limit(parameters, multiple) * n:
        found.append(Reason(code="money_over_limit", sentence="人均金融资产超过规定限额"))
    for kind, (key, code, sentence) in _COUNTED.items():
        if _total(assets, kind) > parameters[key].value:
            found.append(Reason(code=code, sentence=sentence))
    for kind, (code, sentence) in _ANY.items():
        if any(one.kind is kind for one in assets):
            found.append(Reason(code=code, sentence=sentence))
    return tuple(found)


def _limit(parameters: MeansParameters, multiple: str) -> Decimal:
    return parameters[multiple].value * parameters[keys.DIBAO_LINE].value


def _total(assets: list[Asset], kind: AssetKind) -> Decimal:
    return sum((one.amount for one in assets if one.kind is kind), ZERO)
