"""Every Kafka topic of the platform, who writes it and who listens."""

from dataclasses import dataclass
from datetime import timedelta

PARTITIONS = 12
"""Fixed at birth: the partition of a key must never change while its events are in flight."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``writer`` and ``listeners`` are service names and become its access list."""

    name: str
    writer: str
    listeners: tuple[str, ...]
    partitions: int = PARTITIONS
    retention: timedelta = timedelta(days=7)


HOUSEHOLDS = Topic(
    "registry.households",
    writer="registry",
    listeners=("relief", "housing", "education", "employment", "notify"),
)
STANDARDS = Topic("relief.standards", writer="relief", listeners=("registry", "notify"))
RELIEF_ASSISTANCE = Topic("relief.assistance", writer="relief", listeners=("registry", "notify"))
HOUSING_ASSISTANCE = Topic("housing.assistance", writer="housing", listeners=("registry", "notify"))
EDUCATION_ASSISTANCE = Topic(
    "education.assistance", writer="education", listeners=("registry", "notify")
)
EMPLOYMENT_ASSISTANCE = Topic(
    "employment.assistance", writer="employment", listeners=("registry", "notify")
)

REGISTRY_NOTICES = Topic("registry.notices", writer="registry", listeners=("notify",))
REGISTRY_LEADS = Topic("registry.leads", writer="registry", listeners=("notify",))
RELIEF_NOTICES = Topic("relief.notices", writer="relief", listeners=("notify",))
NOTICES = Topic("notify.notices", writer="notify", listeners=("registry", "relief"))

ASSISTANCE = (RELIEF_ASSISTANCE, HOUSING_ASSISTANCE, EDUCATION_ASSISTANCE, EMPLOYMENT_ASSISTANCE)
TOPICS = (
    HOUSEHOLDS,
    STANDARDS,
    *ASSISTANCE,
    REGISTRY_NOTICES,
    REGISTRY_LEADS,
    RELIEF_NOTICES,
    NOTICES,
)
