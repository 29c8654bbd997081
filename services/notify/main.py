"""Notify's API: ``uvicorn --factory services.notify.main:create``."""

from fastapi import FastAPI

from services.notify.settings import load
from shared import divisions
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    return create_app(load(), title="Bangfu notify", routers=[divisions.router()])
