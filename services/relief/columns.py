"""The kinds of columns that relief's tables are made of."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from sqlalchemy import DateTime, Numeric, Text
from sqlalchemy.orm import mapped_column

Key = Annotated[UUID, mapped_column(primary_key=True)]
Code = Annotated[str, mapped_column(Text(collation="C"))]
Words = Annotated[str, mapped_column(Text)]
OptionalCode = Annotated[str | None, mapped_column(Text(collation="C"))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Yuan = Annotated[Decimal, mapped_column(Numeric(14, 2))]
