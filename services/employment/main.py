"""Employment's API: ``uvicorn --factory services.employment.main:create``."""

from fastapi import FastAPI

from services.employment.jobs import api as placements
from services.employment.labour import api as labour
from services.employment.settings import load
from services.employment.standards import api as standards
from shared import divisions
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    routers = [standards.routes, labour.routes, placements.routes, divisions.router()]
    return create_app(load(), title="Bangfu employment", routers=routers)
