"""Free TCP ports for servers that tests start."""

import os
import random
import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 that nobody listens on at this moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def free_base() -> int:
    """A BANGFU_PORT whose whole range is free, below the ports that the system hands out."""
    # Two test processes that ask at the same moment must not be given the same range.
    first = 25_000 if os.environ.get("PYTEST_XDIST_WORKER") == "gw1" else 20_000
    for base in random.sample(range(first, first + 5_000, 200), k=25):
        if all(_is_free(base + step) for step in (*range(1, 13), *range(101, 107))):
            return base
    raise RuntimeError(f"no free range of ports between {first} and {first + 5_000}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
