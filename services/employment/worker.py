"""Employment's worker, ``python -m services.employment.worker``: what it hears, what days bring."""

from collections.abc import Mapping, Sequence

from services.employment.households.handlers import on_households
from services.employment.jobs import actions as placements
from services.employment.labour import actions as labour
from services.employment.settings import load
from shared import worker
from shared.applying import Subscription
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS
from shared.daily import Turn
from shared.jobs import JobHandler

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(HOUSEHOLDS, frozenset(HouseholdEvent), (on_households,)),
)
JOBS: Mapping[str, JobHandler] = {}
TURNS: Sequence[Turn] = (placements.follow_the_day, labour.look_again, labour.date_offers)

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS)
