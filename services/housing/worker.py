"""Housing's worker, ``python -m services.housing.worker``: what it hears and does by itself."""

from collections.abc import Mapping, Sequence

from services.housing.households.handlers import on_households
from services.housing.settings import load
from services.housing.surveys.actions import see_unseen
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
TURNS: Sequence[Turn] = (see_unseen,)

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS)
