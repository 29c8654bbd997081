"""Housing's API: ``uvicorn --factory services.housing.main:create``."""

from fastapi import FastAPI

from services.housing.settings import load
from shared import divisions
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    return create_app(load(), title="Bangfu housing", routers=[divisions.router()])
