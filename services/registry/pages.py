"""Chinese pages to print: how templates are read, and the headers that keep a page harmless.

Autoescape is on and no value is marked safe: what officers wrote stays text.
"""

from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def templates(capability: str) -> Environment:
    """The templates beside a capability's module; a value that is missing raises.

    Example: ``templates(__file__)``.
    """
    return Environment(
        loader=FileSystemLoader(Path(capability).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def day_zh(day: date) -> str:
    """A date as a letter writes it: 2026年1月9日."""
    return f"{day.year}年{day.month}月{day.day}日"
