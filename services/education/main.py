"""Education's API: ``uvicorn --factory services.education.main:create``."""

from fastapi import FastAPI

from services.education.aid import api as aid
from services.education.dropout import api as dropout
from services.education.settings import load
from services.education.standards import api as standards
from services.education.students import api as students
from shared import divisions, jobs
from shared.api import create_app


def create() -> FastAPI:
    """The app with its routers, from the environment."""
    routers = [
        standards.routes,
        students.routes,
        aid.routes,
        dropout.routes,
        divisions.router(),
        jobs.router("education"),
    ]
    return create_app(load(), title="Bangfu education", routers=routers)
