"""Which exceptions are expected at the command line, and the sentence each becomes."""

from tokengate.app import PortInUse
from tokengate.catalog.model import CatalogError
from tokengate.catalog.versions import PriceMoved
from tokengate.core.errors import GatewayError
from tokengate.core.master_key import MasterKeyError
from tokengate.core.settings_file import SettingsError
from tokengate.engines.weights import WeightsError
from tokengate.storage.engine import BadDatabaseUrl, DatabaseInUse, DatabaseUnavailable
from tokengate.storage.migrations.upgrade import SchemaTooNew


class CommandError(Exception):
    """A command cannot do what was asked; the message says why and what to do."""


def sentence_of(error: Exception) -> str | None:
    """Return what to tell the person who typed the command; None when the error is a defect."""
    if not isinstance(error, _EXPECTED):
        return None
    sentence = str(error).strip()
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


_EXPECTED = (
    CommandError,
    BadDatabaseUrl,
    CatalogError,
    DatabaseInUse,
    DatabaseUnavailable,
    GatewayError,
    MasterKeyError,
    OSError,
    PortInUse,
    PriceMoved,
    SchemaTooNew,
    SettingsError,
    WeightsError,
)
