"""The last defence of the logs: masks what looks like a person's number, cuts what may quote one.

PIPL duties (policy section 7): ID numbers, phones and accounts never reach a log. Code must not
log them in the first place; this catches what slips through a library or an exception.
"""

import re
import traceback
from collections.abc import Mapping
from typing import Any

MASK = "[masked]"
FRAMES = 12

# \d also takes full-width digits; a UUID or a date is never this long between its dashes
_PERSONAL_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?:\d{15,19}[\dXxＸｘ]?|1[3-9]\d{9})(?![0-9A-Za-z])"
)
_CHINESE = re.compile(r"[㐀-鿿·]{2,}")
_SMALLEST_LONG_NUMBER = 10**14
_DEPTH = 8


def holds_personal_number(text: str) -> bool:
    """Whether ``text`` holds something shaped like an ID number, account or mobile number."""
    return _PERSONAL_NUMBER.search(text) is not None


def scrub(value: Any, depth: int = 0) -> Any:
    """``value`` with every such number masked, at any depth of dicts and lists.

    Example: ``scrub("of 331102199003070010")`` is ``"of [masked]"``.
    """
    scrubbed: Any = MASK
    if value is None or isinstance(value, bool | float):
        scrubbed = value
    elif isinstance(value, int):
        scrubbed = MASK if abs(value) >= _SMALLEST_LONG_NUMBER else value
    elif isinstance(value, str):
        scrubbed = _PERSONAL_NUMBER.sub(MASK, value)
    elif isinstance(value, Mapping) and depth < _DEPTH:
        scrubbed = {scrub(str(key)): scrub(item, depth + 1) for key, item in value.items()}
    elif isinstance(value, list | tuple | set | frozenset) and depth < _DEPTH:
        scrubbed = [scrub(item, depth + 1) for item in value]
    elif depth < _DEPTH:
        scrubbed = scrub(str(value))
    return scrubbed


def describe_exception(error: BaseException) -> list[dict[str, Any]]:
    """The chain of ``error``, first cause last: type, cut message, file:line frames, no locals.

    PostgreSQL's DETAIL and pydantic's inputs quote whole rows, so only their first lines stay,
    without quoted values and without Chinese text (names and addresses).
    """
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < _DEPTH:
        chain.append(_describe(current))
        current = current.__cause__ or current.__context__
    return chain


def _describe(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    described: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "message": _cut(error),
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    for attribute in ("sqlstate", "constraint_name", "table_name"):
        if isinstance(known := getattr(error, attribute, None), str):
            described[attribute] = known
    return described


def _cut(error: BaseException) -> str:
    # pydantic repeats the input of every fault on the lines after the first
    first = next(iter(str(error).splitlines()), "")
    if "invalid input" in first or "Failing row" in first:
        first = first.split(":", 1)[0]
    return _CHINESE.sub(MASK, first)[:300]
