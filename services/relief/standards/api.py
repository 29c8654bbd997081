"""How the standards are entered, approved and read: the platform's parameter routes."""

from services.relief.medical.parameters import DEFINITIONS as MEDICAL
from services.relief.premiums.parameters import DEFINITIONS as PREMIUMS
from services.relief.standards.actions import announce
from services.relief.standards.definitions import DEFINITIONS
from shared import parameters

EVERY = {**DEFINITIONS, **MEDICAL, **PREMIUMS}
"""All parameters of relief, the published standards and the others."""

routes = parameters.router("relief", EVERY, on_approved=announce)
