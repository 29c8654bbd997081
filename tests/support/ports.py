"""Free TCP ports for servers that tests start."""

import os
import random
import socket

_SECOND_PROCESS = os.environ.get("PYTEST_XDIST_WORKER") == "gw1"
"""Two test processes that ask at the same moment must not be given the same ports."""

_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 that nobody listens on, none of them given before.

    Below those that the system hands out: a client's connection could take one of these before
    the server does that it was meant for.
    """
    first = 15_000 if _SECOND_PROCESS else 10_000
    ports: list[int] = []
    for port in random.sample(range(first, first + 5_000), k=5_000):
        if len(ports) == count:
            break
        if port not in _given and _can_listen(port):
            ports.append(port)
    if len(ports) < count:
        raise RuntimeError(f"no {count} free ports between {first} and {first + 5_000}")
    _given.update(ports)
    return ports


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_base() -> int:
    """A BANGFU_PORT whose whole range is free, below the ports that the system hands out."""
    first = 25_000 if _SECOND_PROCESS else 20_000
    for base in random.sample(range(first, first + 5_000, 200), k=25):
        if all(_is_free(base + step) for step in (*range(1, 13), *range(101, 107))):
            return base
    raise RuntimeError(f"no free range of ports between {first} and {first + 5_000}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
