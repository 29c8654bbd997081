"""Every policy parameter that relief owns, gathered from the capabilities that read them."""

from services.relief.standards import definitions as standards
from services.relief.temporary import parameters as temporary

DEFINITIONS = {**standards.DEFINITIONS, **temporary.DEFINITIONS}
"""By key; a capability with a ``parameters`` module adds it here."""
