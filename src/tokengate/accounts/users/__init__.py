"""People: who they are, how they sign in, and the sessions they have open."""

import re

from msgspec import Struct

from tokengate.core.errors import BadRequest

MAX_NAME_CHARS = 100

_MAX_EMAIL_CHARS = 254  # RFC 5321, section 4.5.3.1
_EMAIL = re.compile(r"[^@\s\x00-\x1f<>\"]+@[^@\s\x00-\x1f<>\"]+\.[^@\s\x00-\x1f<>\".]+")


class User(Struct, frozen=True):
    """A person, without what proves it."""

    id: str
    email: str
    name: str
    operator: bool
    created_ms: int
    disabled_ms: int | None
    last_sign_in_ms: int | None
    has_password: bool


def read_email(text: str) -> str:
    """Return an address as it is stored. Raises BadRequest when it is none."""
    email = text.strip().lower()
    if len(email) > _MAX_EMAIL_CHARS or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise BadRequest("This is not an e-mail address.", param="email", code="bad_email")
    return email


def read_name(text: str, *, param: str = "name") -> str:
    """Return a name of something as it is stored. Raises BadRequest when it is empty, long or unprintable."""
    name = text.strip()
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise BadRequest(f"A name has 1 to {MAX_NAME_CHARS} printable characters.", param=param, code="bad_name")
    return name
