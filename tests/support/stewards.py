"""The city's data steward: without one no data comes in."""

from datetime import date

from deploy.local.provision import ServiceDatabase
from services.registry.stewards import actions
from services.registry.stewards.rules import Appointment, Role
from shared.auth import Caller
from shared.db import Database

STEWARD = Appointment(
    role=Role.DATA_STEWARD,
    division_code="331100",
    unit="丽水市农办",
    officer_id="d1",
    name="周数据",
    appointed_on=date(2024, 1, 1),
)


async def appoint_steward(service: ServiceDatabase) -> None:
    """Somebody answers for the data of all nine counties."""
    caller = Caller(sub="c1", officer_id="c1", divisions=("3311",))
    database = Database(service.worker_url, application_name="tests")
    try:
        async with database.transaction() as session:
            await actions.appoint(session, caller, STEWARD)
    finally:
        await database.close()
