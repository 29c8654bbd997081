"""Registry's API: ``uvicorn --factory services.registry.main:create``."""

from fastapi import FastAPI

from services.registry.certificates import api as certificates
from services.registry.checks import api as checks
from services.registry.determination import api as determination
from services.registry.determination import deciding_api, delegations_api, relatives_api
from services.registry.duplicates import api as duplicates
from services.registry.exchange import api as exchange
from services.registry.exchange import batches_api, feed_api
from services.registry.helpers import api as helpers
from services.registry.helpers import pairings_api
from services.registry.households import accounts_api, persons_api
from services.registry.households import api as households
from services.registry.integrity import api as integrity
from services.registry.leads import api as leads
from services.registry.leads import public_api as public_leads
from services.registry.ledger import api as ledger
from services.registry.lifecycle import api as lifecycle
from services.registry.means import api as means
from services.registry.mergers import api as mergers
from services.registry.notices import api as notices
from services.registry.numbers import api as numbers
from services.registry.parameters import DEFINITIONS
from services.registry.plans import api as plans
from services.registry.reports import api as reports
from services.registry.reports import falls_api
from services.registry.retention import api as retention
from services.registry.returns import api as returns
from services.registry.reviews import api as reviews
from services.registry.rosters import api as rosters
from services.registry.rosters import downloads_api
from services.registry.settings import RegistrySettings, load
from services.registry.sources import api as sources
from services.registry.splits import api as splits
from services.registry.stewards import api as stewards
from services.registry.tasks import api as tasks
from services.registry.transfers import api as transfers
from services.registry.verification import api as verification
from services.registry.verification import reports_api
from services.registry.visits import api as visits
from shared import attachments, divisions, jobs, parameters
from shared.api import create_app


def create(settings: RegistrySettings | None = None) -> FastAPI:
    """The app with its routers; settings from the environment unless given."""
    known = settings or load()
    return create_app(
        known,
        title="Bangfu registry",
        routers=[
            households.routes,
            lifecycle.routes,
            notices.routes,
            checks.routes,
            ledger.routes,
            returns.report_routes,
            returns.routes,
            persons_api.routes,
            accounts_api.routes,
            numbers.routes,
            sources.routes,
            duplicates.routes,
            splits.household_routes,
            splits.routes,
            mergers.household_routes,
            mergers.routes,
            transfers.routes,
            transfers.offer_routes,
            downloads_api.routes,
            rosters.routes,
            exchange.routes,
            feed_api.routes,
            batches_api.routes,
            stewards.routes,
            stewards.quality_routes,
            tasks.routes,
            means.routes,
            verification.household_routes,
            determination.routes,
            helpers.routes,
            pairings_api.routes,
            plans.household_routes,
            plans.routes,
            plans.measure_routes,
            visits.household_routes,
            visits.routes,
            reviews.routes,
            reviews.household_routes,
            reports.routes,
            reports.household_routes,
            falls_api.routes,
            retention.routes,
            certificates.routes,
            certificates.household_routes,
            integrity.household_routes,
            integrity.routes,
            leads.routes,
            public_leads.routes,
            reports_api.household_routes,
            reports_api.routes,
            deciding_api.routes,
            delegations_api.routes,
            relatives_api.routes,
            parameters.router("registry", DEFINITIONS),
            divisions.router(),
            jobs.router("registry"),
            attachments.router("registry", known.attachments_url),
        ],
    )
