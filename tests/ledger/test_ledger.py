"""Two minutes of the ledger with a fixed seed; the rest is `make ledger` and its self-test."""

from pathlib import Path

from deploy.local.progress import Show
from tests.ledger.checks import shown
from tests.ledger.run import Order, run

# The other half of the tests runs beside it: how soon the path flows again is not judged here.
ORDER = Order(seed=20, minutes=2, rate=30, patience=5)


async def test_a_fixed_seed_finds_every_row_in_its_place(tmp_path: Path) -> None:
    verdict = await run(ORDER, tmp_path, Show())
    assert verdict.green, "\n".join(shown(verdict.problems))
    assert verdict.line["operations"]["acknowledged"] > 500
    assert verdict.line["faults"] >= 3
