"""Who is signed in at the console: a sealed access token, found by the hash of a random key."""

from datetime import datetime

from sqlalchemy import DateTime
from sqlalchemy.orm import Mapped, mapped_column

from services.notify.db import Base


class ConsoleSession(Base):
    """One signed-in browser. The key itself is in its cookie alone; no name is stored."""

    __tablename__ = "console_sessions"

    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    token_encrypted: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
