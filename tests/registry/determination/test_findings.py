"""What a decision rests on: the declaration, the means test, the data check; its explanation."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from services.registry.determination.findings import made_again
from services.registry.standards.handlers import on_standards
from services.registry.verification.models import Doubt, Report, Verification
from shared.identity import new_id
from tests.registry.determination.casework import Casework
from tests.registry.filing import Registry, problem
from tests.registry.told import LINE, VILLAGE, standard_event

STRANGER = "01890000-0000-7000-8000-000000000000"
RICH = {"incomes": [{"kind": "wage", "amount": "60000.00"}]}


async def declared(
    casework: Casework, application: dict[str, Any], declaration: dict[str, Any]
) -> dict[str, Any]:
    return await casework.step(
        application, "declaration", declared_on="2026-01-08", declaration=declaration
    )


async def decidable(casework: Casework, declaration: dict[str, Any]) -> dict[str, Any]:
    application = await declared(casework, await casework.accepted(), declaration)
    opinion = await casework.opined(await casework.surveyed(application))
    return await casework.noticed(await casework.announced(opinion))


async def explained(casework: Casework, application: dict[str, Any]) -> dict[str, Any]:
    where = f"/v1/applications/{application['application_id']}/explanation"
    answer = await casework.county.client.get(where)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_decision_keeps_its_reckoning_and_comes_out_the_same_years_later(
    casework: Casework, registry: Registry
) -> None:
    application = await casework.decidable()
    decided = await casework.step(
        application, "decide", by=casework.county, decided_on="2026-01-20"
    )
    (decision,) = decided["decisions"]
    assert decision["finding"]["finding"]["per_capita_month"] == "500.00"
    before = await explained(casework, decided)

    line: dict[str, Any] = {"standard_id": new_id(), "valid_from": date(2026, 1, 15)}
    async with registry.worker.transaction() as session:
        await on_standards(session, [standard_event(1, **line, value=Decimal("300.00"))])
    after = await explained(casework, decided)
    async with registry.worker.transaction() as session:
        await on_standards(session, [standard_event(2, **line, value=Decimal(LINE))])

    assert after == before
    assert (after["decided"], after["recomputes"]) == (True, True)
    assert after["finding"]["primary"] == "dibao"
    assert "人均月收入500.00元" in after["words"]
    assert "《最低生活保障审核确认办法》" in after["articles"]
    assert made_again(decision["finding"]) == decision["finding"]["finding"]


async def test_before_a_decision_it_is_todays_reckoning(casework: Casework) -> None:
    application = await declared(casework, await casework.accepted(), RICH)

    today = await explained(casework, application)

    assert (today["decided"], today["finding"]["per_capita_month"]) == (False, "5000.00")


async def test_whoever_decides_against_the_means_test_says_why(casework: Casework) -> None:
    application = await decidable(casework, RICH)
    decision = {"decided_on": "2026-01-20"}

    silent = await casework.ask(application, "decide", by=casework.county, **decision)
    refused = problem(silent, 422, "finding_differs")
    assert "人均月收入不低于低保标准" in refused["errors"][0]["message"]

    decided = await casework.step(
        application, "decide", by=casework.county, **decision, reason="重病支出已核实"
    )
    assert decided["decisions"][0]["reason"] == "重病支出已核实"


async def test_a_refusal_carries_the_failed_test_by_itself(casework: Casework) -> None:
    application = await decidable(casework, RICH)

    refused = await casework.step(
        application, "refuse", by=casework.county, decided_on="2026-01-20", reason="收入超标"
    )

    (failed,) = refused["decisions"][0]["failed_tests"]
    assert failed == "人均月收入不低于低保标准"
    where = f"/v1/applications/{application['application_id']}/letter"
    assert failed in (await casework.county.client.get(where)).text


async def test_the_newest_declaration_holds(casework: Casework) -> None:
    application = await declared(casework, await casework.accepted(), RICH)
    poor = {"incomes": [{"kind": "wage", "amount": "1200.00"}]}

    again = await declared(casework, application, poor)

    assert len(again["declarations"]) == 2
    assert (await explained(casework, again))["finding"]["per_capita_month"] == "100.00"


@pytest.mark.parametrize(
    ("declaration", "code"),
    [
        ({"incomes": [{"kind": "wage", "amount": "-1.00"}]}, "amount_negative"),
        (
            {
                "obligors": [
                    {
                        "supports": [],
                        "n": 0,
                        "per_capita_month": "1.00",
                        "supported_parents": 1,
                    }
                ]
            },
            "obligor_counts",
        ),
        (
            {"removals": [{"person_id": STRANGER, "officer_id": "t9", "reason": "无法就业"}]},
            "removal_not_yours",
        ),
        ({"costs": [{"kind": "rent", "amount": "1.00"}]}, "request_invalid"),
        ({"incomes": [{"kind": "lottery", "amount": "1.00"}]}, "request_invalid"),
    ],
    ids=["negative", "nobody_supports", "by_another", "no_cost", "no_kind"],
)
async def test_what_is_no_declaration(
    casework: Casework, registry: Registry, declaration: dict[str, Any], code: str
) -> None:
    application = await casework.accepted()
    before = await registry.counted("application_declarations", "audit_log")

    answer = await casework.ask(
        application, "declaration", declared_on="2026-01-08", declaration=declaration
    )

    problem(answer, 422, code)
    assert await registry.counted("application_declarations", "audit_log") == before


OPINION: dict[str, Any] = {"given_on": "2026-01-09", "in_favour": True, "words": "符合"}


async def reported(
    registry: Registry, household_id: str, *, until: str = "2026-07-08", **stopped: Any
) -> UUID:
    """A report of 8 January on this household, of a verification that asked nothing; its id."""
    at, day = datetime(2026, 1, 8, 4, tzinfo=UTC), date(2026, 1, 8)
    file = {"household_id": UUID(household_id), "division_code": VILLAGE}
    verification = file | {
        "verification_id": new_id(),
        "kind": "case",
        "aid_type": "dibao",
        "purpose": "申请低保",
        "window_from": date(2025, 1, 1),
        "window_to": date(2025, 12, 31),
        "revision": 1,
        "requested_on": day,
        "requested_at": at,
        "requested_by": "v1",
    }
    report = file | {
        "report_id": new_id(),
        "report_number": f"核{new_id()}",
        "verification_id": verification["verification_id"],
        "made_on": day,
        "made_at": at,
        "made_by": "v1",
        "valid_until": date.fromisoformat(until),
        "conclusion": "consistent",
        "missing_sources": [],
        "missing_reason": "",
        "content_encrypted": b"",
        "print_count": 0,
    }
    async with registry.acting() as session:
        await session.execute(insert(Verification), [verification | stopped])
        await session.execute(insert(Report), [report])
    return UUID(str(report["report_id"]))


async def doubted(registry: Registry, household_id: str) -> None:
    """An open doubt in the household's verification."""
    (row,) = await registry.rows(
        "SELECT verification_id FROM verifications WHERE household_id = :id", id=household_id
    )
    doubt = {
        "doubt_id": new_id(),
        "verification_id": row["verification_id"],
        "household_id": UUID(household_id),
        "division_code": VILLAGE,
        "subject_id": new_id(),
        "source": "vehicle",
        "kind": "vehicle_in_use",
        "severity": "doubt",
        "detail": {},
        "opened_on": date(2026, 1, 8),
        "due_provisional": False,
        "words": "",
        "proof": "",
        "recorded_at": datetime(2026, 1, 8, 4, tzinfo=UTC),
    }
    async with registry.worker.transaction() as session:
        await session.execute(insert(Doubt), [doubt])


async def test_an_opinion_in_favour_rests_on_a_report_or_on_a_signed_reason(
    casework: Casework, registry: Registry
) -> None:
    application = await casework.surveyed(await casework.accepted())
    problem(await casework.ask(application, "opinion", **OPINION), 422, "report_missing")
    report_id = await reported(registry, application["household_id"])

    opinion = await casework.step(application, "opinion", by=casework.leader, **OPINION)

    assert opinion["opinions"][0]["report_id"] == str(report_id)
    closed = await casework.noticed(await casework.announced(opinion))
    decided = await casework.step(closed, "decide", by=casework.county, decided_on="2026-01-20")
    assert decided["decisions"][0]["report_id"] == str(report_id)


async def test_a_report_that_ran_out_before_the_decision_carries_none(
    casework: Casework, registry: Registry
) -> None:
    application = await casework.surveyed(await casework.accepted())
    await reported(registry, application["household_id"], until="2026-01-19")
    opinion = await casework.step(application, "opinion", by=casework.leader, **OPINION)
    closed = await casework.noticed(await casework.announced(opinion))

    answer = await casework.ask(closed, "decide", by=casework.county, decided_on="2026-01-20")

    problem(answer, 422, "report_missing")


async def test_an_open_doubt_stops_the_opinion_and_the_decision(
    casework: Casework, registry: Registry
) -> None:
    application = await casework.surveyed(await casework.accepted())
    household_id = application["household_id"]
    await reported(registry, household_id)
    opinion = await casework.step(application, "opinion", by=casework.leader, **OPINION)
    closed = await casework.noticed(await casework.announced(opinion))
    await doubted(registry, household_id)

    late = await casework.ask(closed, "decide", by=casework.county, decided_on="2026-01-20")
    problem(late, 422, "doubt_open")

    other = await casework.surveyed(await casework.accepted())
    await reported(registry, other["household_id"])
    await doubted(registry, other["household_id"])
    problem(await casework.ask(other, "opinion", **OPINION), 422, "doubt_open")


async def test_a_death_mark_stops_the_case(casework: Casework, registry: Registry) -> None:
    application = await casework.surveyed(await casework.accepted())
    await reported(registry, application["household_id"], stopped_on=date(2026, 1, 8))

    answer = await casework.ask(application, "opinion", **OPINION)

    problem(answer, 422, "verification_stopped")
