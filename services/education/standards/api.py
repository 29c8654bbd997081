"""How the amounts and deadlines are entered, approved and read: the platform's parameter routes."""

from services.education.standards.definitions import DEFINITIONS
from shared import parameters

routes = parameters.router("education", DEFINITIONS)
