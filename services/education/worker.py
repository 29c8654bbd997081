"""Education's worker, ``python -m services.education.worker``: what it hears, the jobs it runs."""

from collections.abc import Mapping, Sequence

from services.education.aid.actions import GRANT, PAY
from services.education.aid.jobs import grant, pay
from services.education.households.handlers import on_households
from services.education.settings import load
from services.education.students.actions import settle_due_households
from shared import worker
from shared.applying import Subscription
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS
from shared.daily import Turn
from shared.jobs import JobHandler

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(HOUSEHOLDS, frozenset(HouseholdEvent), (on_households,)),
)
JOBS: Mapping[str, JobHandler] = {GRANT: grant, PAY: pay}
TURNS: Sequence[Turn] = (settle_due_households,)

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS)
