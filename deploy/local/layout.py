"""Where the local stack keeps its things and which ports it uses."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.failures import CannotStartError
from deploy.local.processes import write_whole
from deploy.local.provision import ROLES, SERVICES

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "deploy" / "sample"
DEFAULT_PORT = 8100
SUPERUSER = "postgres"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Folder and ports of one stack; ``postgres_url`` and ``kafka`` name servers of your own."""

    home: Path
    port: int = DEFAULT_PORT
    postgres_url: str | None = None
    kafka: str | None = None

    @property
    def secrets(self) -> Path:
        """Keys and passwords; readable by their owner alone."""
        return self.home / "secrets"

    @property
    def attachments(self) -> Path:
        """Photos and papers, encrypted."""
        return self.home / "attachments"

    @property
    def clock_file(self) -> Path:
        """The platform's offset, which journeys move forward."""
        return self.home / "clock.json"

    @property
    def signing_key(self) -> Path:
        """The issuer's private key."""
        return self.secrets / "issuer-key.pem"

    @property
    def issuer(self) -> str:
        """The issuer's name, which is also its address."""
        return self.address(self.issuer_port)

    @property
    def issuer_port(self) -> int:
        """The port of the issuer and its JWKS."""
        return self.port + 9

    @property
    def sources_port(self) -> int:
        """The port of the reference sources that verifications ask."""
        return self.port + 8

    @property
    def kafka_port(self) -> int:
        """The embedded broker's port; its controller listens two above (the next is PostgreSQL)."""
        return self.port + 10

    @property
    def postgres_port(self) -> int:
        """The embedded database server's port."""
        return self.port + 11

    @property
    def controller_port(self) -> int:
        """Where the embedded broker talks to itself."""
        return self.port + 12

    @property
    def bootstrap(self) -> str:
        """The Kafka that services use."""
        return self.kafka or f"127.0.0.1:{self.kafka_port}"

    def admin_url(self, passwords: Mapping[str, str]) -> str:
        """The superuser's address of the server in use."""
        place = f"127.0.0.1:{self.postgres_port}/postgres"
        return self.postgres_url or f"postgresql://{SUPERUSER}:{passwords[SUPERUSER]}@{place}"

    def api_port(self, service: str) -> int:
        """8101 for the registry, 8106 for notify, unless BANGFU_PORT says otherwise."""
        return self.port + 1 + SERVICES.index(service)

    def worker_port(self, service: str) -> int:
        """A hundred above the service's api."""
        return self.api_port(service) + 100

    def address(self, port: int) -> str:
        """The HTTP address of a port of this stack."""
        return f"http://127.0.0.1:{port}"

    def api(self, service: str) -> str:
        """The address of a service's api."""
        return self.address(self.api_port(service))

    def key_file(self, service: str) -> Path:
        """The key ring of a service's encrypted fields."""
        return self.secrets / f"{service}-keys.json"

    def ports(self) -> dict[int, str]:
        """Every port that this stack listens on, with what for."""
        used = {self.issuer_port: "the issuer", self.sources_port: "the reference sources"}
        for service in SERVICES:
            used[self.api_port(service)] = f"the api of {service}"
            used[self.worker_port(service)] = f"the worker of {service}"
        if self.kafka is None:
            used |= {self.kafka_port: "Kafka", self.controller_port: "Kafka's controller"}
        if self.postgres_url is None:
            used[self.postgres_port] = "PostgreSQL"
        return used

    def passwords(self) -> dict[str, str]:
        """The passwords of every database role, made on first use.

        Raises CannotStartError when the data is there and the passwords are not.
        """
        file = self.secrets / "passwords.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if SUPERUSER not in known and (self.home / "postgres" / "data").exists():
            raise CannotStartError(
                f"{file} is gone, and with it the password of the data in {self.home / 'postgres'}:"
                f" put the file back, or give the data up with `make clean`"
            )
        wanted = [role for role in (SUPERUSER, *ROLES) if role not in known]
        if wanted:
            known |= {role: secrets.token_urlsafe(24) for role in wanted}
            write_whole(file, json.dumps(known, indent=1), mode=0o600)
        return known

    def note(self, **facts: Any) -> None:
        """Keep facts for later commands (`make down`, `make token`, the next start)."""
        file = self.home / "stack.json"
        write_whole(file, json.dumps(noted(self.home) | facts, indent=1))


def noted(home: Path) -> dict[str, Any]:
    """What ``Layout.note`` kept in this folder."""
    try:
        facts = json.loads((home / "stack.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def from_environment(environment: Mapping[str, str] = os.environ) -> Layout:
    """The layout of BANGFU_HOME, BANGFU_PORT, BANGFU_POSTGRES_URL, KAFKA_BOOTSTRAP_SERVERS.

    Without BANGFU_PORT the port of the stack that last ran in this home is taken. Raises
    CannotStartError for a port that is none.
    """
    home = Path(environment.get("BANGFU_HOME") or PROJECT / ".bangfu").expanduser().resolve()
    given = environment.get("BANGFU_PORT") or str(noted(home).get("port", DEFAULT_PORT))
    if not given.isdecimal() or not 1024 <= int(given) <= 65000:
        raise CannotStartError(f"BANGFU_PORT is {given}: give a number from 1024 to 65000")
    return Layout(
        home=home,
        port=int(given),
        postgres_url=environment.get("BANGFU_POSTGRES_URL") or None,
        kafka=environment.get("KAFKA_BOOTSTRAP_SERVERS") or None,
    )
