"""Every policy parameter that relief owns, gathered from the capabilities that read them."""

from services.relief.medical import parameters as medical
from services.relief.payments import parameters as payments
from services.relief.premiums import parameters as premiums
from services.relief.standards import definitions as standards
from services.relief.tekun import parameters as tekun
from services.relief.temporary import parameters as temporary

DEFINITIONS = {
    **standards.DEFINITIONS,
    **tekun.DEFINITIONS,
    **temporary.DEFINITIONS,
    **medical.DEFINITIONS,
    **premiums.DEFINITIONS,
    **payments.DEFINITIONS,
}
"""By key; a capability with a ``parameters`` module adds it here."""
