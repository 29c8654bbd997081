"""What happens in relief when households arrive from the registry, a batch at a time."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity import allocating as charity
from services.relief.dibao import actions as dibao
from services.relief.dibao.queries import lines_over_time
from services.relief.guarantees import actions as guarantees
from services.relief.medical import actions as medical
from services.relief.schedules import actions as schedules
from services.relief.schedules.actions import Copy
from services.relief.tekun import actions as tekun
from shared import household_copy
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Take the newest states into the copy; settle grants, guarantees and bills of the news."""
    await schedules.hold_figures(session)
    states = await household_copy.apply(session, envelopes)
    versions = household_copy.versions(envelopes)
    copies = [
        Copy(
            household_id=state.household_id,
            division_code=state.division_code,
            version=versions[state.household_id],
            periods=state.periods,
        )
        for state in states
    ]
    lines = await lines_over_time(session, schedules.everywhere(copies))
    await dibao.settle_copies(session, copies, lines)
    await tekun.settle_copies(session, copies)
    await guarantees.state_guarantees(session, states, lines)
    await medical.settle_households(session, [state.household_id for state in states])
    await charity.follow_moves(session, states)
