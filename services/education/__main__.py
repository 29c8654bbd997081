"""Education's commands for operators: ``python -m services.education --help``."""

from services.education.settings import load
from shared import commands

if __name__ == "__main__":
    commands.build("education", load)()
