"""What a listener's database holds, as far as a consumer writes it."""

from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from shared.producer import Place

Aggregate = tuple[str, str]


@dataclass
class Tables:
    """Rows: all that is committed, or what one transaction has written."""

    offsets: dict[Place, int] = field(default_factory=dict)
    topic_ids: dict[Place, UUID] = field(default_factory=dict)
    received: dict[Aggregate, int] = field(default_factory=dict)
    applied: list[tuple[Aggregate, int]] = field(default_factory=list)
    parked: list[dict[str, Any]] = field(default_factory=list)
    parked_at: set[tuple[Place, int]] = field(default_factory=set)
    latest: dict[Aggregate, int] = field(default_factory=dict)
    blocked: set[Aggregate] = field(default_factory=set)

    def offsets_by_id(self) -> dict[tuple[Place, UUID | None], int]:
        """Where each partition is, and in which topic."""
        return {(at, self.topic_ids.get(at)): offset for at, offset in self.offsets.items()}

    def copy(self) -> "Tables":
        """The same rows; they are replaced, never changed."""
        return Tables(*(getattr(self, each.name).copy() for each in fields(self)))
