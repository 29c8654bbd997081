"""Every policy parameter that the registry owns, gathered from the capabilities that read them."""

from services.registry.determination import parameters as determination
from services.registry.lifecycle import parameters as lifecycle
from services.registry.means import parameters as means
from services.registry.verification import parameters as verification

DEFINITIONS = (
    lifecycle.DEFINITIONS | verification.DEFINITIONS | determination.DEFINITIONS | means.DEFINITIONS
)
"""By key; a capability with a ``parameters`` module adds it here."""
