"""What goes wrong, as RFC 9457 problem details with a stable ``code``.

Actions raise these; the handlers in ``shared/problems.py`` turn them, and whatever else goes
wrong, into answers. A text here may reach the caller: never a name, number, phone or account.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from starlette.exceptions import HTTPException

TYPE_PREFIX = "urn:bangfu:problem:"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request.

    ``where`` is a JSON pointer into the body (``#/members/0/birth_date``) or ``query/limit``,
    ``path/household_id``, ``header/if-match``.
    """

    where: str
    code: str
    message: str


class Problem(HTTPException):
    """Anything that ends a request with an error; the transaction is rolled back.

    ``code`` never changes once published; ``title`` says what kind of trouble it is and is the
    same for every occurrence; ``detail`` says what was wrong here and what to do.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=dict(headers or {}) or None)
        self.code = code
        self.title = title
        self.faults = tuple(faults)

    def body(self, instance: str) -> dict[str, Any]:
        """The members of the problem document; ``instance`` is this request's correlation id."""
        return {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
            "instance": f"urn:bangfu:request:{instance}",
            "code": self.code,
            "errors": [asdict(fault) for fault in self.faults],
        }


class _Fixed(Problem):
    """A problem whose status and title go with its class."""

    STATUS: ClassVar[int]
    TITLE: ClassVar[str]

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self.STATUS, code, self.TITLE, detail, faults=faults, headers=headers)


class BadRequest(_Fixed):
    """400: the request cannot be read."""

    STATUS = 400
    TITLE = "The request cannot be read"


class Unauthorized(_Fixed):
    """401: no token, or one that does not hold; tells the client how to authenticate."""

    STATUS = 401
    TITLE = "Authentication is needed"

    def __init__(self, code: str, detail: str) -> None:
        challenge = 'Bearer realm="bangfu"'
        if code != "token_missing":
            challenge += f', error="invalid_token", error_description="{detail}"'
        super().__init__(code, detail, headers={"WWW-Authenticate": challenge})


class Forbidden(_Fixed):
    """403: the caller is known and may not do this."""

    STATUS = 403
    TITLE = "Not allowed"


class NotFound(_Fixed):
    """404: nothing there, or nothing that this caller's divisions cover."""

    STATUS = 404
    TITLE = "Not found"


class Conflict(_Fixed):
    """409: the request does not fit what is stored now."""

    STATUS = 409
    TITLE = "In conflict with what is stored"


class PreconditionFailed(_Fixed):
    """412: someone changed it since the caller read it."""

    STATUS = 412
    TITLE = "Changed in the meantime"


class TooLarge(_Fixed):
    """413: the body is larger than this route takes."""

    STATUS = 413
    TITLE = "The request is too large"


class Refused(_Fixed):
    """422: understood, and a rule refuses it; ``code`` names the rule."""

    STATUS = 422
    TITLE = "Refused by a rule"


class PreconditionRequired(_Fixed):
    """428: a change must say which version it was made from."""

    STATUS = 428
    TITLE = "A precondition is required"


class TooMany(_Fixed):
    """429: nothing is wrong with the request, but this sender has asked too often."""

    STATUS = 429
    TITLE = "Too many requests"

    def __init__(self, code: str, detail: str, *, retry_after: int) -> None:
        super().__init__(code, detail, headers={"Retry-After": str(retry_after)})


class TryAgain(_Fixed):
    """503: nothing is wrong with the request; the same request may succeed in a moment."""

    STATUS = 503
    TITLE = "Try again in a moment"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail, headers={"Retry-After": "1"})
