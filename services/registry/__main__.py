"""Registry's commands for operators: ``python -m services.registry --help``."""

from services.registry.settings import load
from shared import commands

if __name__ == "__main__":
    commands.build("registry", load)()
