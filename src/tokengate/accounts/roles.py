"""What a member of an org may do, by role: the one table.

Platform operators, and scripts with an admin token, may do everything in every org.
"""

from typing import Literal

Role = Literal["owner", "admin", "developer", "billing", "viewer"]

Permission = Literal[
    "org.read",
    "org.write",
    "members.read",
    "members.write",
    "projects.write",
    "keys.read",
    "keys.write",
    "calls.read",
    "wallets.read",
    "wallets.write",
    "alerts.write",
    "audit.read",
]

ROLES: tuple[Role, ...] = ("owner", "admin", "developer", "billing", "viewer")

_ALL: frozenset[Role] = frozenset(ROLES)
_ADMINS: frozenset[Role] = frozenset(("owner", "admin"))

TABLE: dict[Permission, frozenset[Role]] = {
    "org.read": _ALL,
    "org.write": _ADMINS,
    "members.read": _ALL,
    "members.write": _ADMINS,
    "projects.write": _ADMINS,
    "keys.read": _ALL,
    "keys.write": frozenset(("owner", "admin", "developer")),
    "calls.read": _ALL,
    "wallets.read": _ALL,
    "wallets.write": frozenset(("owner", "admin", "billing")),  # opens wallets, redeems codes
    "alerts.write": frozenset(("owner", "admin", "billing")),
    "audit.read": _ADMINS,
}


def allows(role: Role, permission: Permission) -> bool:
    """Return whether members with this role may do it."""
    return role in TABLE[permission]
