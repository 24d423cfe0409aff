"""Whether a disk has room for files: they share it with the ledger, which must not run out of it."""

import shutil
from pathlib import Path
from typing import Final

from tokengate.core.errors import Unavailable

_LEAST_FREE_BYTES: Final = 1024 * 1024 * 1024


def require_space(folder: Path) -> None:
    """Raise Unavailable when the disk of a folder is nearly full. Looks at the disk: call it in a thread."""
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise Unavailable("The gateway has no place for files now.", code="no_space", retry_after_s=60)
