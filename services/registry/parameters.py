"""Every policy parameter that the registry owns, gathered from the capabilities that read them."""

from services.registry.deaths import parameters as deaths
from services.registry.determination import parameters as determination
from services.registry.helpers import parameters as helpers
from services.registry.leads import parameters as leads
from services.registry.lifecycle import parameters as lifecycle
from services.registry.means import parameters as means
from services.registry.plans import parameters as plans
from services.registry.reports import parameters as reports
from services.registry.retention import parameters as retention
from services.registry.reviews import parameters as reviews
from services.registry.rosters import parameters as rosters
from services.registry.splits import parameters as splits
from services.registry.verification import parameters as verification
from services.registry.visits import parameters as visits

DEFINITIONS = {
    **lifecycle.DEFINITIONS,
    **leads.DEFINITIONS,
    **verification.DEFINITIONS,
    **determination.DEFINITIONS,
    **means.DEFINITIONS,
    **splits.DEFINITIONS,
    **deaths.DEFINITIONS,
    **helpers.DEFINITIONS,
    **plans.DEFINITIONS,
    **visits.DEFINITIONS,
    **reviews.DEFINITIONS,
    **reports.DEFINITIONS,
    **retention.DEFINITIONS,
    **rosters.DEFINITIONS,
}
"""By key; a capability with a ``parameters`` module adds it here."""
