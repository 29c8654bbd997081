"""Makes the secrets of docker-compose.yml: ``python -m deploy.compose.new_secrets FOLDER``.

One file a secret: the superuser's password, each role's address with its password, each service's
key ring. What is there is kept: a lost key ring cannot be made again, so back the folder up. The
files belong to group 10001, the containers' own, and to nobody else. The secrets of relief's
and notify's accounts come from the identity provider: put them into FOLDER/relief_client_secret and
FOLDER/notify_client_secret.
FOLDER/registry_sources_token is made empty: put the token there that the sources' gateway gives, if
it asks for one.
"""

import os
import secrets
import sys
from pathlib import Path

from deploy.local.processes import write_whole
from deploy.local.provision import KINDS, SERVICES
from shared import crypto

GROUP = 10001
HOST = "postgres"
FROM_OUTSIDE = frozenset({"relief_client_secret", "notify_client_secret"})
SOURCES_TOKEN = "registry_sources_token"  # noqa: S105 (a file's name)


def make(folder: Path) -> list[Path]:
    """Write what is missing; gives the files that are new."""
    folder.mkdir(parents=True, exist_ok=True)
    made = _write(folder / "postgres_password", secrets.token_urlsafe(32))
    for service in SERVICES:
        for kind in KINDS:
            login = f"{service}_{kind}:{secrets.token_urlsafe(32)}"
            made += _write(
                folder / f"{service}_{kind}_database_url", f"postgresql://{login}@{HOST}/{service}"
            )
        if not (folder / f"{service}_keys").exists():
            crypto.new_key_file(folder / f"{service}_keys")
            made.append(folder / f"{service}_keys")
    return made + _write(folder / SOURCES_TOKEN, "")


def hand_over(folder: Path, group: int = GROUP) -> None:
    """Let the containers' group read, and nobody but root write. Raises PermissionError."""
    for file in folder.iterdir():
        os.chown(file, -1, group)
        file.chmod(0o640)
    os.chown(folder, -1, group)
    folder.chmod(0o750)


def _write(file: Path, text: str) -> list[Path]:
    if file.exists():
        return []
    write_whole(file, text + "\n", mode=0o600)
    return [file]


def main(folder: str) -> None:
    """Make the secrets and hand them to the containers' group; says what is there and missing."""
    place = Path(folder)
    made = make(place)
    try:
        hand_over(place)
    except PermissionError:
        sys.exit(f"the containers cannot read {place} yet: run this again as root (sudo)")
    sys.stdout.write(f"{len(made)} new secrets in {place}: back the folder up\n")
    missing = [str(place / name) for name in sorted(FROM_OUTSIDE) if not (place / name).exists()]
    if missing:
        sys.exit(
            f"missing: {', '.join(missing)}. Put the secret of the service's account at your "
            f"identity provider there and run this again"
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.compose.new_secrets FOLDER")
    main(sys.argv[1])
