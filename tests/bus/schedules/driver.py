"""Rows and errors as SQLAlchemy and the driver below it give them."""

from typing import Any

import asyncpg
from sqlalchemy import exc

from shared.trouble import sqlstate


class DriverError(Exception):
    """What asyncpg has raised."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def database_error(sqlstate: str, *, lost: bool = False) -> exc.DBAPIError:
    """As SQLAlchemy passes on what the driver raised."""
    return exc.DBAPIError("…", {}, DriverError(sqlstate), connection_invalidated=lost)


def by_the_driver(error: exc.DBAPIError) -> asyncpg.PostgresError:
    """The same as the driver itself raises it."""
    if error.connection_invalidated:
        return asyncpg.ConnectionDoesNotExistError("connection was closed")
    told = asyncpg.PostgresError("…")
    told.__dict__["sqlstate"] = sqlstate(error)
    return told


class Row(dict[str, Any]):
    """One row, its columns by name as SQLAlchemy and as the driver give them."""

    def __getattr__(self, column: str) -> Any:
        return self[column]


class Result(list[Row]):
    """Rows, as an executed statement gives them."""

    def one(self) -> Any:
        """The only row."""
        (row,) = self
        return row
