"""Bodies and texts as relief's routes take them: nothing unknown, nothing blank."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("blanks alone say nothing")
    return text.strip()


Short = Annotated[str, Field(max_length=100), AfterValidator(_not_blank)]
"""A name, a post, a reference; without the blanks around it."""
Words = Annotated[str, Field(max_length=500), AfterValidator(_not_blank)]
"""A reason or a description; without the blanks around it."""


class In(BaseModel):
    """A body: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """An answer, read from rows and mappings."""

    model_config = ConfigDict(from_attributes=True)
