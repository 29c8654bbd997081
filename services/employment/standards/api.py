"""How the figures are entered, approved and read: the platform's parameter routes."""

from services.employment.standards.actions import follow
from services.employment.standards.definitions import DEFINITIONS
from shared import parameters

routes = parameters.router("employment", DEFINITIONS, on_approved=follow)
