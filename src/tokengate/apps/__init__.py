"""AI applications that operators published at run time: named presets over a model, as they are stored."""

from msgspec import Struct

from tokengate.core.settings import AppSettings


class App(Struct, frozen=True):
    """One application. Times are milliseconds since the epoch, UTC."""

    definition: AppSettings
    created_ms: int
    changed_ms: int
    disabled_ms: int | None = None

    @property
    def name(self) -> str:
        """The name under which it is called, without `app/`."""
        return self.definition.name
