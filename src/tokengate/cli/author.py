"""Who types a command, for the audit log."""

import os
import pwd

from tokengate.accounts.audit import By
from tokengate.core.clock import SystemClock, now_ms
from tokengate.core.ids import new_id


def by_command() -> By:
    """Return the system's user as the author of a change."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return By("command", name[:64], name, "", now_ms(SystemClock()), new_id)
