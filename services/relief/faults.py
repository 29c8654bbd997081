"""What is wrong with a request, said where, and refused with all of it. Pure."""

from collections.abc import Collection, Sequence

from shared.errors import Conflict, Fault, Refused

_CONFLICTS = frozenset(
    {
        "already_member",
        "balance_too_low",
        "donation_corrected",
        "group_dissolved",
        "leader_exists",
        "same_officer",
    }
)
"""Faults that lie in what is stored now and not in the request."""


def fault(where: str, code: str, message: str) -> Fault:
    """A fault at a place of the body, written without its leading ``#/``."""
    return Fault(f"#/{where}", code, message)


def refuse_if(faults: Sequence[Fault], *, conflicts: Collection[str] = _CONFLICTS) -> None:
    """Raise Conflict or Refused, named by the first of the faults and listing them all.

    ``conflicts``: the codes that lie in what is stored now and not in the request.
    """
    if faults:
        first = faults[0]
        problem = Conflict if first.code in conflicts else Refused
        raise problem(first.code, f"{len(faults)} fault(s), first: {first.message}", faults=faults)
