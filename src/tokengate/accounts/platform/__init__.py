"""What belongs to the whole platform: the settings that an operator changes in the console, and admin tokens."""

from typing import Literal

from msgspec import Struct

SignUp = Literal["open", "invitation", "closed"]


class PortalSettings(Struct, frozen=True):
    """How the portal presents itself and who may come in."""

    sign_up: SignUp
    portal_public: bool  # the documentation is for everybody, not only for who is signed in
    site_name: str
    contact: str  # Markdown


class AdminToken(Struct, frozen=True):
    """A token with which a script acts as an operator; the text itself is not stored."""

    id: str
    name: str
    last4: str
    created_by: str
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None


class NewAdminToken(Struct, frozen=True):
    """A token just made, with its text, which cannot be shown again."""

    info: AdminToken
    token: str
