"""Registry's worker, ``python -m services.registry.worker``: what it hears, the jobs it runs."""

from collections.abc import Mapping, Sequence

from services.registry.duplicates import actions as duplicates
from services.registry.duplicates import jobs as duplicate_jobs
from services.registry.ledger import handlers as ledger
from services.registry.notices import handlers as notices
from services.registry.returns import handlers as returns
from services.registry.rosters import actions as rosters
from services.registry.rosters import jobs as roster_jobs
from services.registry.settings import load
from services.registry.standards import handlers as standards
from shared import public_uses, worker
from shared.applying import Subscription
from shared.daily import Turn
from shared.jobs import JobHandler

SUBSCRIPTIONS: Sequence[Subscription] = (
    *ledger.SUBSCRIPTIONS,
    *returns.SUBSCRIPTIONS,
    *notices.SUBSCRIPTIONS,
    *standards.SUBSCRIPTIONS,
)
JOBS: Mapping[str, JobHandler] = {rosters.JOB: roster_jobs.import_roster}
TURNS: Sequence[Turn] = (public_uses.forget_past,)
JOBS: Mapping[str, JobHandler] = {
    rosters.JOB: roster_jobs.import_roster,
    duplicates.SEARCH: duplicate_jobs.find_duplicates,
}

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS)
