"""Relief's commands for operators: ``python -m services.relief --help``."""

from services.relief.settings import load
from shared import commands

if __name__ == "__main__":
    commands.build("relief", load)()
