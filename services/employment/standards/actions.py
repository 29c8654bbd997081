"""What an approved figure sets off, in the transaction of its approval (R30)."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.labour import cases
from services.employment.standards.rules import moves_deadlines
from shared.auth import Caller
from shared.parameters import Parameter


async def follow(session: AsyncSession, _caller: Caller, parameter: Parameter) -> None:
    """Give the open cases of the division the deadline that the new figure makes."""
    if moves_deadlines(parameter.key):
        await cases.date_offers(session, division_code=parameter.division_code)
