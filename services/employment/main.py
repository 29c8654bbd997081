"""Employment's API: ``uvicorn --factory services.employment.main:create``."""

from fastapi import FastAPI

from services.employment.settings import load
from shared import divisions
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    return create_app(load(), title="Bangfu employment", routers=[divisions.router()])
