"""Notify's worker, ``python -m services.notify.worker``: what it hears, the jobs it runs."""

from collections.abc import Mapping, Sequence

from services.notify.feedback.handlers import SUBSCRIPTIONS as FEEDBACK
from services.notify.households.handlers import on_households
from services.notify.notices.actions import POST, close_what_is_over, order_what_was_left
from services.notify.notices.handlers import on_notice_requests
from services.notify.notices.jobs import desk_of, posting
from services.notify.settings import load
from services.notify.timelines.handlers import SUBSCRIPTIONS as TIMELINES
from shared import public_uses, worker
from shared.applying import Subscription
from shared.contracts.notices import NOTICE_REQUESTED
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS, REGISTRY_NOTICES, RELIEF_NOTICES
from shared.daily import Turn
from shared.jobs import JobHandler

SUBSCRIPTIONS: Sequence[Subscription] = (
    Subscription(HOUSEHOLDS, frozenset(HouseholdEvent), (on_households,)),
    Subscription(REGISTRY_NOTICES, frozenset({NOTICE_REQUESTED}), (on_notice_requests,)),
    *FEEDBACK,
    Subscription(RELIEF_NOTICES, frozenset({NOTICE_REQUESTED}), (on_notice_requests,)),
    *TIMELINES,
)
JOBS: Mapping[str, JobHandler] = {
    POST: posting(lambda: desk_of(load())),
}
TURNS: Sequence[Turn] = (
    public_uses.forget_past,
    close_what_is_over,
    order_what_was_left,
)

if __name__ == "__main__":
    worker.run(load(), SUBSCRIPTIONS, JOBS, TURNS)
