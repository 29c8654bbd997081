"""Registry's worker, ``python -m services.registry.worker``: what it hears, the jobs it runs."""

from collections.abc import Mapping, Sequence

from services.registry.determination import handlers as determination
from services.registry.duplicates import actions as duplicates
from services.registry.duplicates import jobs as duplicate_jobs
from services.registry.leads import handlers as leads
from services.registry.leads import publishing as leads_told
from services.registry.ledger import handlers as ledger
from services.registry.notices import handlers as notices
from services.registry.plans import results
from services.registry.reports import watching as reports
from services.registry.retention import actions as retention
from services.registry.retention import jobs as retention_jobs
from services.registry.returns import handlers as returns
from services.registry.reviews import calendar as reviews
from services.registry.rosters import actions as rosters
from services.registry.rosters import jobs as roster_jobs
from services.registry.settings import load
from services.registry.standards import handlers as standards
from services.registry.tasks import recounting
from services.registry.verification import sweeping
from services.registry.verification.exchanging import Exchange
from services.registry.verification.needs import Needs
from services.registry.visits import watching as visits
from shared import public_uses, worker
from shared.applying import Subscription
from shared.daily import Turn
from shared.db import Database
from shared.jobs import JobHandler
from shared.worker import Part

SUBSCRIPTIONS: Sequence[Subscription] = (
    *ledger.SUBSCRIPTIONS,
    *returns.SUBSCRIPTIONS,
    *leads.SUBSCRIPTIONS,
    *notices.SUBSCRIPTIONS,
    *determination.SUBSCRIPTIONS,
    *standards.SUBSCRIPTIONS,
)
JOBS: Mapping[str, JobHandler] = {
    rosters.JOB: roster_jobs.import_roster,
    duplicates.SEARCH: duplicate_jobs.find_duplicates,
    sweeping.JOB: sweeping.make_questions,
    retention.JOB: retention_jobs.delete_answers,
}
TURNS: Sequence[Turn] = (
    public_uses.forget_past,
    leads_told.tell_untold,
    recounting.recount_provisional,
    results.ask_results,
    visits.ask_visits,
    reviews.date_undated,
    reviews.ask_reviews,
    reports.ask_falls,
    sweeping.order_checks,
)


def own_parts(database: Database) -> Mapping[str, Part]:
    """Beside the parts of every worker: talking to the sources, taking up needs they show."""
    return {
        "verification": Exchange(database, load()).run,
        "verification_needs": Needs(database).run,
    }


if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS, own_parts=own_parts)
