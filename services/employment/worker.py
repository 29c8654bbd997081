"""Employment's worker, ``python -m services.employment.worker``: its topics and its jobs."""

from collections.abc import Mapping, Sequence

from services.employment.households.handlers import on_households
from services.employment.settings import load
from shared import worker
from shared.applying import Subscription
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS
from shared.jobs import JobHandler

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(HOUSEHOLDS, frozenset(HouseholdEvent), (on_households,)),
)
JOBS: Mapping[str, JobHandler] = {}

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS)
