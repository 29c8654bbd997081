"""The commands behind the Makefile: ``python -m deploy.local up|down|token|migrate|run``."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from deploy.local import fleet, launcher, stack
from deploy.local.failures import CannotStartError
from deploy.local.layout import Layout, from_environment
from deploy.local.progress import Show
from deploy.local.provision import SERVICES, addresses
from deploy.local.tokens import open_signer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, and some are passwords
)

PERMITTED = (
    "registry.households:read registry.households:write registry.households:decide "
    "registry.persons:resolve registry.rosters:read registry.rosters:write registry.jobs:read "
    "registry.leads:read registry.leads:write registry.leads:decide registry.tasks:read "
    "registry.verification:read registry.verification:write registry.means:read "
    "registry.determination:read registry.determination:write registry.determination:decide "
    "registry.splits:read registry.mergers:read registry.transfers:read registry.exchange:read "
    "registry.contacts:read registry.contacts:write registry.helpers:read registry.helpers:write "
    "registry.attachments:read registry.attachments:write "
    "registry.plans:read registry.plans:write registry.plans:decide "
    "registry.visits:read registry.visits:write registry.reviews:read registry.reviews:write "
    "registry.reports:read registry.reports:write "
    "registry.certificates:read registry.certificates:write "
    "registry.retention:read registry.retention:write registry.retention:approve "
    "registry.duplicates:read registry.sources:read "
    "registry.integrity:read registry.integrity:write "
    "registry.parameters:read relief.standards:read relief.dibao:read relief.payments:read "
    "relief.payments:write relief.payments:pay relief.payments:approve relief.payments:fetch "
    "relief.tekun:read relief.tekun:write relief.tekun:confirm "
    "relief.temporary:read relief.temporary:write "
    "relief.parameters:read relief.jobs:read relief.medical:read relief.premiums:read "
    "relief.charity:read relief.charity:write "
    "relief.aid:read relief.mutual_aid:read relief.mutual_aid:write "
    "housing.surveys:read housing.renovations:read "
    "education.students:read education.aid:read education.dropout:read employment.labour:read "
    "employment.jobs:read notify.notices:read notify.timelines:read notify.figures:read "
    "notify.feedback:read"
)
"""What `make token` grants unless SCOPES says otherwise: reading and the registry's daily work."""


@app.command()
def up(
    *,
    detach: Annotated[bool, typer.Option(envvar="DETACH")] = False,
    sample: Annotated[bool, typer.Option(envvar="SAMPLE")] = True,
    ready_pipe: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start everything: servers, databases, topics, services, the sample county."""
    place = _layout()
    if detach and ready_pipe is None:
        sys.exit(launcher.up_detached(with_sample=sample))
    sys.exit(launcher.up(place, with_sample=sample, ready_pipe=ready_pipe))


@app.command()
def down() -> None:
    """Stop everything that was started from this BANGFU_HOME."""
    sys.exit(launcher.down(_layout()))


@app.command()
def token(
    scopes: Annotated[str, typer.Option(envvar="SCOPES")] = PERMITTED,
    divisions: Annotated[str, typer.Option(envvar="DIVISIONS")] = "331124",
    officer: Annotated[str, typer.Option(envvar="OFFICER")] = "officer-1",
    bureau: Annotated[str, typer.Option(envvar="BUREAU")] = "civil-affairs",
) -> None:
    """Print a token of the development issuer, good for eight hours."""
    place = _layout()
    if not place.signing_key.exists():
        _refuse(CannotStartError("there is no issuer yet in this BANGFU_HOME: run `make up` first"))
    signer = open_signer(place.signing_key, place.issuer)
    prefixes = [code for code in divisions.replace(",", " ").split() if code]
    print(
        signer.sign(
            scopes=scopes.replace(",", " ").split(),
            officer=officer or None,
            divisions=prefixes,
            claims={"bureau": bureau},
        )
    )


@app.command()
def migrate() -> None:
    """Bring the six databases of a running stack to the newest schema."""
    place = _layout()
    try:
        asyncio.run(stack.migrate_running(place, Show()))
    except CannotStartError as failed:
        _refuse(failed)


@app.command(
    add_help_option=False,  # --help belongs to the service's command
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run(context: typer.Context, service: str) -> None:
    """Run a service's own command in this stack: ``run relief events parked``."""
    place = _layout()
    if service not in SERVICES:
        _refuse(CannotStartError(f"there is no service {service}: {', '.join(SERVICES)}"))
    try:
        passwords = place.passwords()
    except CannotStartError as failed:
        _refuse(failed)
    database = addresses(place.admin_url(passwords), service, passwords)
    told = fleet.operators_environment(place, service, database)
    os.execve(sys.executable, [sys.executable, "-m", f"services.{service}", *context.args], told)  # noqa: S606 (this command is what is asked for)


def _layout() -> Layout:
    try:
        return from_environment()
    except CannotStartError as failed:
        _refuse(failed)
        raise


def _refuse(failed: CannotStartError) -> None:
    print(failed, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    app()
