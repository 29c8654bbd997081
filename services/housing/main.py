"""Housing's API: ``uvicorn --factory services.housing.main:create``."""

from fastapi import FastAPI

from services.housing.renovations import api as renovations
from services.housing.renovations.definitions import DEFINITIONS
from services.housing.settings import load
from services.housing.surveys import api as surveys
from shared import divisions, parameters
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    routers = [
        surveys.routes,
        renovations.routes,
        parameters.router("housing", DEFINITIONS),
        divisions.router(),
    ]
    return create_app(load(), title="Bangfu housing", routers=routers)
