"""Notify's API: ``uvicorn --factory services.notify.main:create``."""

from fastapi import FastAPI

from services.notify.console import site
from services.notify.feedback import api as feedback
from services.notify.feedback import public_api as public_feedback
from services.notify.figures import api as figures
from services.notify.notices import api as notices
from services.notify.settings import load
from services.notify.timelines import api as timelines
from shared import divisions, jobs
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    routers = [
        notices.routes,
        notices.parameter_routes,
        timelines.routes,
        figures.routes,
        feedback.routes,
        public_feedback.routes,
        divisions.router(),
        jobs.router("notify"),
    ]
    app = create_app(load(), title="Bangfu notify", routers=routers, hooks=[site.running])
    site.add_pages(app)
    return app
