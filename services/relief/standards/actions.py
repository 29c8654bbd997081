"""What an approved standard sets off, in the transaction of its approval (C11)."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao import actions as dibao
from services.relief.guarantees import actions as guarantees
from services.relief.medical import actions as medical
from services.relief.medical.parameters import TERMS_KEYS
from services.relief.standards.rules import is_published, moves_grants
from services.relief.tekun import actions as tekun
from services.relief.tekun.rules import FIGURES
from shared import events
from shared.auth import Caller
from shared.contracts.relief import STANDARD_CHANGED, Standard
from shared.contracts.topics import STANDARDS
from shared.money import yuan
from shared.parameters import Parameter


async def announce(session: AsyncSession, caller: Caller, parameter: Parameter) -> None:
    """Publish the standard and order the recalculation that follows from it."""
    if is_published(parameter.key):
        await events.publish(session, [_changed(parameter)])
    division, parameter_id = parameter.division_code, parameter.parameter_id
    if moves_grants(parameter.key):
        await dibao.recalculate_division(
            session, caller, division_code=division, parameter_id=parameter_id
        )
    if parameter.key in FIGURES:
        await tekun.recalculate_division(
            session, caller, division_code=division, parameter_id=parameter_id
        )
        await guarantees.look_again(session, caller, division_code=division)
    if parameter.key in TERMS_KEYS:
        await medical.decide_again(session, caller, division_code=division)


def _changed(parameter: Parameter) -> events.NewEvent:
    return events.NewEvent(
        topic=STANDARDS,
        type=STANDARD_CHANGED,
        subject=parameter.parameter_id,
        version=parameter.version,
        effective_from=parameter.valid_from,
        payload=Standard(
            standard_id=parameter.parameter_id,
            key=parameter.key,
            division_code=parameter.division_code,
            valid_from=parameter.valid_from,
            value=yuan(parameter.value),
            document_number=parameter.document_number,
            sample=parameter.sample,
        ),
    )
