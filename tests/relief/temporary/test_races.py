"""Two decisions at once: the fund's last yuan, the year's last time, one application twice."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import actions, deciding, funds, stages
from services.relief.temporary.fund_rules import EntryKind
from services.relief.temporary.rules import Award, Form, Level, Stage
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import HouseholdState
from shared.db import Database
from shared.errors import Conflict, Refused
from shared.identity import new_id
from tests.relief.support import ASSISTED, COUNTY, blocked, receive, rows
from tests.relief.temporary.desk import PAPERS, TOWNSHIP, Desk, one
from tests.support.builders import household
from tests.support.waiting import until

LEADER = Caller(sub="s3", officer_id="o3", divisions=(COUNTY,))
OTHER = Caller(sub="s8", officer_id="o8", divisions=(COUNTY,))

Deed = Callable[[AsyncSession, Caller], Awaitable[object]]


def approving(path: str, level: Level) -> Deed:
    """The approval of an application at twice the line of 600 for one person."""
    stage = Stage(form=Form.CASH, amount=Decimal("1200.00"), due_on=clock.today())
    award = Award(factor=Decimal(2), hard_reason=None, stages=[stage])

    async def deed(session: AsyncSession, caller: Caller) -> None:
        await deciding.approve(session, caller, id_of(path), award, level=level)

    return deed


def id_of(path: str) -> UUID:
    return UUID(path.rsplit("/", 1)[1])


async def at_once(
    api_role: Database, worker: Database, first: Deed, second: Deed
) -> BaseException | object:
    """The first stands uncommitted until the second waits for it; what the second comes to."""

    async def then() -> object:
        async with api_role.transaction(divisions=OTHER.divisions) as session:
            return await second(session, OTHER)

    async with api_role.transaction(divisions=LEADER.divisions) as session:
        await first(session, LEADER)
        waiting = asyncio.create_task(then())
        await until(lambda: blocked(worker), what="the second to wait for the first", every=0.01)
    (met,) = await asyncio.gather(waiting, return_exceptions=True)
    return met


async def test_two_townspeople_and_the_last_yuan_of_the_fund(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    neighbours = household()
    await receive(worker, neighbours)
    await desk.allot("2399.99")
    first, second = await desk.apply(family, 1), await desk.apply(neighbours, 1)
    met = await at_once(
        api_role,
        worker,
        approving(first, Level.TOWNSHIP),
        approving(second, Level.TOWNSHIP),
    )
    assert isinstance(met, Conflict)
    assert met.code == "fund_insufficient"
    (fund,) = await rows(worker, "SELECT * FROM petty_funds")
    assert (fund["allotted"], fund["paid"]) == (Decimal("2399.99"), Decimal(1200))
    assert len(await rows(worker, ASSISTED)) == 1
    assert (await desk.read(second))["state"] == "accepted"
    await desk.allot("0.01")
    await desk.post("o3", f"{second}/township-approval", one())
    (fund,) = await rows(worker, "SELECT * FROM petty_funds")
    assert fund["allotted"] - fund["paid"] == 0


async def test_the_year_s_last_time_is_given_once(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    first, second = await desk.apply(family, 1), await desk.apply(family, 1)
    met = await at_once(
        api_role, worker, approving(first, Level.COUNTY), approving(second, Level.COUNTY)
    )
    assert isinstance(met, Conflict)
    assert met.code == "year_exhausted"
    assert len(await rows(worker, "SELECT 1 FROM temporary_decisions")) == 1


async def test_what_was_given_in_another_township_counts(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    """A household that has moved is decided on by people who do not see its first help."""
    first = await desk.apply(family, 1)
    await desk.post("o4", f"{first}/county-approval", one())
    moved = family.model_copy(update={"division_code": "331124101203"})
    await receive(worker, moved, version=2)
    second = await desk.apply(moved, 1)
    township = Caller(sub="s8", officer_id="o8", divisions=("331124101",))
    with pytest.raises(Conflict, match="1次"):
        async with api_role.transaction(divisions=township.divisions) as session:
            await approving(second, Level.COUNTY)(session, township)


async def test_one_application_is_decided_once(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    path = await desk.apply(family, 1)

    async def refuse(session: AsyncSession, caller: Caller) -> None:
        await deciding.refuse(session, caller, id_of(path), "不符", level=Level.COUNTY)

    met = await at_once(api_role, worker, approving(path, Level.COUNTY), refuse)
    assert isinstance(met, Conflict)
    assert met.code == "application_decided"
    assert (await desk.read(path))["state"] == "approved"


async def test_a_stage_s_money_comes_back_once(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    await desk.allot("5000.00")
    path = await desk.apply(family, 1)
    (stage,) = (await desk.post("o4", f"{path}/township-approval", one()))["stages"]
    stage_id = UUID(stage["stage_id"])

    async def reverse(session: AsyncSession, caller: Caller) -> object:
        return await stages.reverse(session, caller, stage_id, "误发")

    met = await at_once(api_role, worker, reverse, reverse)
    assert isinstance(met, Conflict)
    assert met.code == "stage_reversed"
    (fund,) = await rows(worker, "SELECT * FROM petty_funds")
    assert fund["returned"] == Decimal(1200)


async def test_papers_are_entered_once(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    path = await desk.apply(family, 1)
    await desk.post("o4", f"{path}/county-approval", one())

    async def enter(session: AsyncSession, caller: Caller) -> None:
        await actions.enter_papers(
            session, caller, id_of(path), received_on=clock.today(), papers=PAPERS
        )

    met = await at_once(api_role, worker, enter, enter)
    assert isinstance(met, Conflict)
    assert met.code == "papers_entered"


async def test_one_notice_is_asked_for_of_two_opinions_at_once(
    desk: Desk, api_role: Database, worker: Database, family: HouseholdState
) -> None:
    path = await desk.apply(family, kind="expenditure", cause="illness")
    check = {"checked_on": clock.today().isoformat(), "words": "属实", "expense": "1.00"}
    await desk.post("o2", f"{path}/checks", check)
    opinion = actions.Opinion(favourable=True, factor=Decimal(3), hard_reason=None, words="同意")

    async def opine(session: AsyncSession, caller: Caller) -> None:
        await actions.opine(session, caller, id_of(path), opinion)

    met = await at_once(api_role, worker, opine, opine)
    assert isinstance(met, Refused)
    assert met.code == "opinion_on_notice"
    assert len(await rows(worker, "SELECT 1 FROM temporary_notices")) == 1


async def test_the_table_itself_lets_no_fund_fall_below_zero(
    desk: Desk, api_role: Database
) -> None:
    await desk.allot("100.00")
    with pytest.raises(IntegrityError, match="never_below_zero"):
        async with api_role.transaction(divisions=(COUNTY,)) as session:
            await session.execute(text("UPDATE petty_funds SET paid = 100.01"))


MOVES = st.lists(
    st.tuples(st.sampled_from(EntryKind), st.decimals("0.01", "500", places=2)),
    min_size=4,
    max_size=24,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(MOVES)
async def test_whatever_races_the_balance_adds_up_to_the_fen(
    desk: Desk, api_role: Database, worker: Database, moves: list[tuple[EntryKind, Decimal]]
) -> None:
    """Many at once: the sums of the entries are the fund's, and it is never negative."""
    async with worker.transaction() as session:
        before = await session.execute(text("SELECT count(*) FROM petty_fund_entries"))
        entries = before.scalar_one()

    async def move(kind: EntryKind, amount: Decimal) -> bool:
        async with api_role.transaction(divisions=LEADER.divisions) as session:
            known = {"application_id": new_id()}
            if kind is EntryKind.RETURNED:
                return False  # money comes back by a stage's reversal alone
            if kind is EntryKind.PAID:
                await funds.pay(session, LEADER, TOWNSHIP, amount, **known)
            else:
                await funds.enter(
                    session, LEADER, TOWNSHIP, kind=kind, amount=amount, document_number="松财1号"
                )
            return True

    done = await asyncio.gather(*(move(*each) for each in moves), return_exceptions=True)
    assert all(isinstance(each, bool | Conflict | Refused) for each in done), done
    summed = await rows(
        worker, "SELECT kind, sum(amount) AS total FROM petty_fund_entries GROUP BY kind"
    )
    held = {row["kind"]: row["total"] for row in summed}
    found = await rows(worker, "SELECT * FROM petty_funds")
    for fund in found:
        assert all(fund[kind.value] == held.get(kind.value, 0) for kind in EntryKind)
        balance = fund["allotted"] + fund["topped_up"] - fund["paid"] + fund["returned"]
        assert balance >= 0
        last = await rows(worker, LAST)
        assert not last or last[0]["balance_after"] == balance
    counted = await rows(worker, "SELECT count(*) AS entries FROM petty_fund_entries")
    assert counted[0]["entries"] - entries == sum(each is True for each in done)


LAST = "SELECT * FROM petty_fund_entries ORDER BY entry_id DESC LIMIT 1"
