"""How the standards are entered, approved and read: the platform's parameter routes."""

from services.relief.parameters import DEFINITIONS
from services.relief.standards.actions import announce
from shared import parameters

routes = parameters.router("relief", DEFINITIONS, on_approved=announce)
