"""Prepares the servers of docker-compose.yml: roles and databases, topics.

``python -m deploy.compose.prepare databases postgres`` and ``… topics kafka:9092`` do what
`make up` does with its own servers, the passwords out of secret files. Safe to run again: both run
at every start, and a changed password is brought into force.
"""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit

import typer

from deploy.local import provision as databases_of
from deploy.local import topics as kafka_topics
from deploy.local.failures import CannotStartError

SECRETS = Path("/run/secrets")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, and some are passwords
)


@app.command()
def databases(
    host: str, port: int = 5432, secrets: Annotated[Path, typer.Option()] = SECRETS
) -> None:
    """Create or repair the six databases and their eighteen roles."""
    _in_one_line(_provision(host, port, secrets))


@app.command()
def topics(bootstrap: str) -> None:
    """Create the topics of the contracts that are not there."""
    _in_one_line(kafka_topics.create(bootstrap))


async def _provision(host: str, port: int, secrets: Path) -> None:
    superuser = quote(_read(secrets / "postgres_password"), safe="")
    admin_url = f"postgresql://postgres:{superuser}@{host}:{port}/postgres"
    await databases_of.provision(admin_url, passwords(secrets))
    await databases_of.close_common_databases(admin_url)


def passwords(secrets: Path) -> dict[str, str]:
    """Every role's password, out of the address that its service is given.

    Raises CannotStartError for an address that is missing or is another role's.
    """
    found = {}
    for role in databases_of.ROLES:
        file = secrets / f"{role}_database_url"
        parts = urlsplit(_read(file))
        if parts.username != role or not parts.password:
            raise CannotStartError(
                f"{file} is not the address of {role}: postgresql://{role}:<password>@<host>/…"
            )
        found[role] = unquote(parts.password)
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as unreadable:
        raise CannotStartError(
            f"{file} cannot be read ({unreadable.strerror}): make the secrets with "
            f"deploy/compose/new_secrets.py and let group 10001 read them"
        ) from unreadable


def _in_one_line(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except (CannotStartError, OSError) as failed:
        sys.exit(str(failed))


if __name__ == "__main__":
    app()
