"""What the controllers work with: the services of the running gateway, made by the composition root."""

from collections.abc import Mapping

from msgspec import Struct

from tokengate.accounts.keyring import KeyRing
from tokengate.accounts.passwords import Passwords
from tokengate.accounts.platform import PortalSettings
from tokengate.accounts.platform.store import portal_settings
from tokengate.catalog.load import Catalog
from tokengate.core.clock import Clock
from tokengate.core.ids import NewId
from tokengate.core.networks import Network
from tokengate.core.sealing import Sealer
from tokengate.core.settings import Settings
from tokengate.gateway.applications import Applications
from tokengate.gateway.backends import Backends
from tokengate.gateway.watch import Watch
from tokengate.ledger.alerts import Alerts
from tokengate.ledger.codes import Redeemer
from tokengate.ledger.teller import Teller
from tokengate.storage.engine import Database
from tokengate.tasks.jobs import Jobs
from tokengate.tasks.notify import Notifier
from tokengate.upstream.guard import Guard
from tokengate.web.oidc import Provider
from tokengate.web.shelf import Shelf


class Portal:
    """The portal's settings as they are now; the composition root refreshes them when another process changed them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        configured = settings.portal
        self.defaults = PortalSettings(
            sign_up=configured.sign_up,
            portal_public=configured.public,
            site_name=configured.site_name,
            contact=configured.contact,
        )
        self.now = self.defaults

    async def refresh(self) -> None:
        """Read the settings again."""
        async with self._database.read() as read:
            self.now = await portal_settings(read, self.defaults)


class Console(Struct, frozen=True, eq=False):
    """The services."""

    settings: Settings
    database: Database
    clock: Clock
    new_id: NewId
    sealer: Sealer
    passwords: Passwords
    keyring: KeyRing
    portal: Portal
    catalog: Catalog
    applications: Applications
    backends: Backends
    teller: Teller
    watch: Watch
    redeemer: Redeemer
    alerts: Alerts
    notifier: Notifier
    jobs: Jobs
    guard: Guard
    oidc: Mapping[str, Provider]
    trusted_proxies: tuple[Network, ...]
    shelf: Shelf

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        return int(self.clock.now_s() * 1000)
