"""Housing's commands for operators: ``python -m services.housing --help``."""

from services.housing.settings import load
from shared import commands

if __name__ == "__main__":
    commands.build("housing", load)()
