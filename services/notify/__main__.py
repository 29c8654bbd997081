"""Notify's commands for operators: ``python -m services.notify --help``."""

from services.notify.settings import load
from shared import commands

if __name__ == "__main__":
    commands.build("notify", load)()
