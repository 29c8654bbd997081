"""Relief's API: ``uvicorn --factory services.relief.main:create``."""

from fastapi import FastAPI

from services.relief.charity import allocations_api as allocations
from services.relief.charity import api as charity
from services.relief.dibao import api as dibao
from services.relief.mutual_aid import api as mutual_aid
from services.relief.payments import api as payments
from services.relief.settings import load
from services.relief.standards import api as standards
from shared import divisions, jobs
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    routers = [
        standards.routes,
        dibao.routes,
        payments.routes,
        charity.routes,
        allocations.routes,
        mutual_aid.routes,
        divisions.router(),
        jobs.router("relief"),
    ]
    return create_app(load(), title="Bangfu relief", routers=routers)
