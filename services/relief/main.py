"""Relief's API: ``uvicorn --factory services.relief.main:create``."""

from fastapi import FastAPI

from services.relief.charity import allocations_api as allocations
from services.relief.charity import api as charity
from services.relief.dibao import api as dibao
from services.relief.medical import api as medical
from services.relief.medical import statements_api
from services.relief.mutual_aid import api as mutual_aid
from services.relief.payments import api as payments
from services.relief.payments import bank_api
from services.relief.premiums import api as premiums
from services.relief.settings import load
from services.relief.standards import api as standards
from services.relief.tekun import api as tekun
from services.relief.tekun import selfcare_api, support_api
from services.relief.temporary import api as temporary
from services.relief.temporary import funds_api as petty_funds
from shared import divisions, jobs
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    routers = [
        standards.routes,
        dibao.routes,
        tekun.routes,
        selfcare_api.routes,
        support_api.routes,
        payments.routes,
        temporary.routes,
        petty_funds.routes,
        medical.routes,
        statements_api.routes,
        premiums.routes,
        charity.routes,
        allocations.routes,
        mutual_aid.routes,
        bank_api.routes,
        divisions.router(),
        jobs.router("relief"),
    ]
    return create_app(load(), title="Bangfu relief", routers=routers)
