"""Relief's worker, ``python -m services.relief.worker``: what it hears, the jobs it runs."""

from collections.abc import Mapping, Sequence

from services.relief.dibao.actions import RECALCULATE
from services.relief.dibao.jobs import recalculate
from services.relief.guarantees.actions import LOOK_AGAIN, look_again_each_month
from services.relief.guarantees.jobs import state_guarantees
from services.relief.households.handlers import on_households
from services.relief.medical import statement_jobs, statements
from services.relief.medical.actions import DECIDE_AGAIN
from services.relief.medical.jobs import decide_again, settle_file
from services.relief.medical.receiving import SETTLE
from services.relief.payments.actions import CONFIRM, PAY
from services.relief.payments.bank_jobs import book, making
from services.relief.payments.jobs import confirm, pay
from services.relief.payments.returning import BOOK
from services.relief.payments.sending import MAKE
from services.relief.premiums import actions as premiums
from services.relief.premiums import jobs as premium_jobs
from services.relief.registry_client import registry_of
from services.relief.settings import load
from services.relief.tekun import actions as tekun
from services.relief.tekun import jobs as tekun_jobs
from services.relief.tekun.assessing import recount_provisional
from services.relief.temporary.handlers import SUBSCRIPTIONS as NOTICES
from services.relief.temporary.watching import note_overdue_papers, recount_papers_due
from shared import worker
from shared.applying import Subscription
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS
from shared.daily import Turn
from shared.jobs import JobHandler

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(HOUSEHOLDS, frozenset(HouseholdEvent), (on_households,)),
    *NOTICES,
)
JOBS: Mapping[str, JobHandler] = {
    RECALCULATE: recalculate,
    tekun.RECALCULATE: tekun_jobs.recalculate,
    tekun.SETTLE: tekun_jobs.settle,
    PAY: pay,
    CONFIRM: confirm,
    MAKE: making(lambda: registry_of(load())),
    BOOK: book,
    LOOK_AGAIN: state_guarantees,
    SETTLE: settle_file,
    DECIDE_AGAIN: decide_again,
    statements.COLLECT: statement_jobs.collect,
    statements.CONFIRM: statement_jobs.confirm,
    premiums.SUBSIDISE: premium_jobs.subsidise,
    premiums.CONFIRM: premium_jobs.confirm,
}
TURNS: Sequence[Turn] = (
    look_again_each_month,
    recount_provisional,
    recount_papers_due,
    note_overdue_papers,
)

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS)
