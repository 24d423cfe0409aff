"""Everything that the audit log can say has words in both languages, in the file that the pages take them from."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct, structs

from tokengate.accounts.audit import Action
from tokengate.accounts.orgs import Invitation, Member, Org, Project
from tokengate.accounts.platform import AdminToken, PortalSettings
from tokengate.accounts.store import KeyInfo
from tokengate.accounts.users import User
from tokengate.accounts.users.store import LinkedIdentity
from tokengate.gateway.applications import AuditedApp
from tokengate.web.console_api.alerts import AuditedAlert
from tokengate.web.console_api.codes import AuditedBatch
from tokengate.web.console_api.wallets import AuditedRedemption, AuditedWallet, TopUp

ROOT = Path(__file__).parents[3]
WORDS = ROOT / "console" / "src" / "i18n" / "audit.ts"
AUDITED: tuple[type[Struct], ...] = (
    AdminToken,
    AuditedAlert,
    AuditedApp,
    AuditedBatch,
    AuditedRedemption,
    AuditedWallet,
    Invitation,
    KeyInfo,
    LinkedIdentity,
    Member,
    Org,
    PortalSettings,
    Project,
    TopUp,
    User,
)


def words(table: str) -> dict[str, tuple[str, str]]:
    """Return a table of the pages' words: Chinese and English by name."""
    text = WORDS.read_text().partition(f"export const {table}")[2].partition("\n};")[0]
    return {name: (zh, en) for name, zh, en in re.findall(r'^  "?([\w.]+)"?: \["(.+)", "(.+)"\],$', text, re.MULTILINE)}


def fields(kind: type[Struct], above: str = "") -> list[str]:
    """Return the names of a struct's fields as the log has them: `limits.concurrency` for one inside another."""
    found: list[str] = []
    for field in structs.fields(kind):
        inner = [one for one in (field.type, *get_args(field.type)) if _is_struct(one)]
        if inner:
            found += fields(inner[0], f"{above}{field.name}.")
        if not inner or type(None) in get_args(field.type):
            found.append(f"{above}{field.name}")
    return found


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_every_action_has_words_in_both_languages_and_no_other_has():
    actions = words("ACTIONS")

    assert set(actions) == set(get_args(Action))
    assert all(en.isascii() and not zh.isascii() for zh, en in actions.values())


@pytest.mark.parametrize("kind", AUDITED)
def test_every_field_of_what_is_written_down_has_words(kind: type[Struct]):
    known = words("FIELDS")

    assert [name for name in fields(kind) if name not in known] == []


def test_what_the_code_writes_down_is_looked_at_here():
    """A new kind of thing that is recorded must join `AUDITED`: actions name their kind first."""
    kinds = {action.partition(".")[0] for action in get_args(Action)}

    assert kinds == {
        "admin_token",
        "alert",
        "app",
        "code_batch",
        "invitation",
        "key",
        "member",
        "org",
        "project",
        "session",
        "settings",
        "user",
        "wallet",
    }
