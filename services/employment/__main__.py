"""Employment's commands for operators: ``python -m services.employment --help``."""

from services.employment.settings import load
from shared import commands

if __name__ == "__main__":
    commands.build("employment", load)()
