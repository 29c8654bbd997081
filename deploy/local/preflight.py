"""What can be known to go wrong before anything is started: tools, room on the disk, ports."""

import os
import shutil
import socket

import psutil

from deploy.local import kafka
from deploy.local.failures import CannotStartError, disk_full
from deploy.local.layout import Layout

_ROOM = 1_000_000_000


def check(layout: Layout) -> None:
    """Raise CannotStartError for the first thing in the way."""
    refuse_full_disk(layout)
    if layout.kafka is None:
        kafka.refuse_old_java()
    refuse_taken_ports(layout)


def refuse_full_disk(layout: Layout) -> None:
    """Everything of a start fits into a gigabyte; less is refused before half of it is written."""
    try:
        layout.home.mkdir(parents=True, exist_ok=True)
        layout.secrets.mkdir(mode=0o700, exist_ok=True)
        layout.secrets.chmod(0o700)
    except PermissionError as refused:
        raise CannotStartError(
            f"{layout.home} cannot be written by this account: choose a folder of your own with "
            f"BANGFU_HOME=/another/folder"
        ) from refused
    if not os.access(layout.home, os.W_OK):
        raise CannotStartError(
            f"{layout.home} belongs to another account: choose a folder of your own with "
            f"BANGFU_HOME=/another/folder"
        )
    if shutil.disk_usage(layout.home).free < _ROOM:
        raise disk_full(layout.home)


def refuse_taken_ports(layout: Layout) -> None:
    """Name the port, what wanted it, and who holds it where the system tells."""
    for port, purpose in layout.ports().items():
        if not _is_free(port):
            raise CannotStartError(
                f"port {port}, wanted for {purpose}, is taken{_holder(port)}: end that program, or "
                f"use other ports with `make up BANGFU_PORT={layout.port + 1000}`"
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    try:
        listening = [
            seen.pid
            for seen in psutil.net_connections(kind="tcp")
            if seen.status == psutil.CONN_LISTEN and seen.laddr and seen.laddr.port == port
        ]
        names = [f"{psutil.Process(pid).name()}, pid {pid}" for pid in listening if pid]
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
    return f" by {names[0]}" if names else ""
