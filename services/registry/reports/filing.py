"""Whether what was found was filed or rejected: count(filed) = count(found - rejected) (C6)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.reports.queries import AFTER, HERE, Asked, Rows


async def filing(
    session: AsyncSession, within: Sequence[str], first: date, last: date
) -> RowMapping:
    """What became, by now, of the households found in a period.

    Found is every file opened in it: for an applicant (an accepted lead becomes one), by a roster,
    a batch or a split. A file that never had a category nor an application was opened for
    temporary relief alone (C18) and is not found; a household that moved in was found before.

    Each is one of: ``filed`` (it has an episode), ``rejected`` (by a refusal of the file, or of its
    newest application), ``closed`` before a decision, ``withdrawn`` (the applicant's wish), or
    ``pending``. So found = filed + rejected + the difference of the last three, which
    ``differences`` names. ``leads_...`` count the leads that were opened in the period.
    """
    given = {"within": list(within), "first": first, "last": last}
    return (await session.execute(_FILING, given)).mappings().one()


async def differences(session: AsyncSession, first: date, last: date, asked: Asked) -> Rows:
    """The households found in a period and neither filed nor rejected, by id, with ``became``."""
    given: dict[str, Any] = {"first": first, "last": last, "within": list(asked.within)}
    given |= {"after": asked.after, "most": asked.limit}
    return (await session.execute(_DIFFERENCES, given)).mappings().all()


_FOUND = f"""
    SELECT h.household_id, h.division_code, h.opened_on, h.origin, CASE
        WHEN h.episode > 0 THEN 'filed'
        WHEN newest.state = 'refused' OR EXISTS (SELECT FROM decisions
            WHERE household_id = h.household_id AND decisions.kind = 'refuse') THEN 'rejected'
        WHEN h.state = 'closed' THEN 'closed'
        WHEN newest.state = 'withdrawn' THEN 'withdrawn'
        ELSE 'pending' END AS became
    FROM households AS h LEFT JOIN LATERAL (
        SELECT state FROM applications WHERE household_id = h.household_id
        ORDER BY application_id DESC LIMIT 1) AS newest ON true
    WHERE h.opened_on BETWEEN :first AND :last AND {HERE.format(row="h")}
        AND (h.category IS NOT NULL OR newest.state IS NOT NULL)
"""  # noqa: S608 (own constants)
_FILING = text(
    f"""
    WITH found AS ({_FOUND}), led AS (
        SELECT count(*) AS leads_found,
            count(*) FILTER (WHERE state = 'accepted') AS leads_accepted,
            count(*) FILTER (WHERE state = 'dismissed') AS leads_dismissed
        FROM leads WHERE opened_on BETWEEN :first AND :last AND {HERE.format(row="leads")}
    ), summed AS (
        SELECT count(*) AS found,
            count(*) FILTER (WHERE became = 'filed') AS filed,
            count(*) FILTER (WHERE became = 'rejected') AS rejected,
            count(*) FILTER (WHERE became = 'pending') AS pending,
            count(*) FILTER (WHERE became = 'withdrawn') AS withdrawn,
            count(*) FILTER (WHERE became = 'closed') AS closed,
            count(*) FILTER (WHERE origin = 'application') AS by_application,
            count(*) FILTER (WHERE origin = 'roster') AS by_roster,
            count(*) FILTER (WHERE origin = 'batch') AS by_batch,
            count(*) FILTER (WHERE origin = 'split') AS by_split
        FROM found
    )
    SELECT * FROM summed CROSS JOIN led
    """  # noqa: S608 (own constants)
)
_DIFFERENCES = text(
    f"""
    WITH found AS ({_FOUND})
    SELECT household_id, division_code, opened_on, became FROM found
    WHERE became IN ('pending', 'withdrawn', 'closed') AND {AFTER.format(key="household_id")}
    ORDER BY household_id LIMIT :most
    """  # noqa: S608 (own constants)
)
