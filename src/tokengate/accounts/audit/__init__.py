"""The audit log: who changed what, when and from where, with what it was before and after, without secrets."""

from typing import Literal

import msgspec
from msgspec import Struct

from tokengate.core.ids import NewId

ActorKind = Literal["user", "admin_token", "command", "system"]

# What can be done: the kind of thing, and the verb. The pages have words for each, in both languages.
Action = Literal[
    "admin_token.create",
    "admin_token.revoke",
    "alert.delete",
    "alert.set",
    "app.change",
    "app.create",
    "app.delete",
    "app.disable",
    "app.enable",
    "code_batch.create",
    "code_batch.revoke",
    "invitation.accept",
    "invitation.create",
    "invitation.withdraw",
    "key.change",
    "key.create",
    "key.create_session",
    "key.disable",
    "key.enable",
    "key.rotate",
    "member.add",
    "member.remove",
    "member.role",
    "org.create",
    "org.rename",
    "project.create",
    "project.rename",
    "project.store_responses",
    "session.end",
    "session.open",
    "settings.update",
    "user.create",
    "user.disable",
    "user.enable",
    "user.identity",
    "user.operator",
    "user.password",
    "wallet.create",
    "wallet.redeem",
    "wallet.top_up",
]


class By(Struct, frozen=True):
    """Who makes a change, and when: every function that changes something takes one."""

    kind: ActorKind
    id: str
    name: str
    address: str
    now_ms: int
    new_id: NewId

    def make_id(self, prefix: str) -> str:
        """Return a new id of this moment."""
        return self.new_id(prefix, self.now_ms / 1000)


class AuditEntry(Struct, frozen=True):
    """One change. `before` and `after` hold the fields that differ."""

    id: str
    org_id: str | None
    at_ms: int
    actor_kind: ActorKind
    actor_id: str
    actor_name: str
    address: str
    action: Action
    target: str
    before: dict[str, object]
    after: dict[str, object]


def difference(before: Struct | None, after: Struct | None) -> tuple[dict[str, object], dict[str, object]]:
    """Return the fields that differ, before and after; all of them when there was or is nothing."""
    old = {} if before is None else _fields(before)
    new = {} if after is None else _fields(after)
    if before is not None and after is not None:
        same = {name for name in old if name in new and old[name] == new[name]}
        old = {name: value for name, value in old.items() if name not in same}
        new = {name: value for name, value in new.items() if name not in same}
    return old, new


def _fields(value: Struct) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(value)
    return fields
