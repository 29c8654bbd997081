"""The sample's division codes, put into a test's database."""

from pathlib import Path

from deploy.local.provision import ServiceDatabase
from shared import divisions
from shared.db import Database

CSV = Path(__file__).parents[2] / "deploy" / "sample" / "divisions.csv"


async def load_divisions(service: ServiceDatabase) -> None:
    """Load Lishui's divisions as `make up` does."""
    database = Database(service.worker_url, application_name="tests")
    try:
        async with database.transaction() as session:
            await divisions.load_csv(session, CSV)
    finally:
        await database.close()
