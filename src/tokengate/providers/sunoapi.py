"""sunoapi.org, a seller of Suno's music, and whoever sells it in the same words (`base_url` names them)."""

from typing import Final

from tokengate.formats.sunoapi.jobs import SUNOAPI_MUSIC
from tokengate.providers.compatible import OpenAICompatible
from tokengate.providers.error_body import VendorError

# Its own numbers, inside a status 200 or as the status. https://docs.sunoapi.org/suno-api/quickstart, 2026-11
_TOO_MUCH_AT_ONCE: Final = frozenset({"405", "430"})
_STATUS: Final = {"400": 400, "413": 413, "422": 422, "455": 503}


class SunoApi(OpenAICompatible, frozen=True, kw_only=True):
    """Knows its codes."""

    def kind_of(self, status: int, error: VendorError, wait_s: float | None) -> str:
        """Return whose matter it is."""
        return "limited" if error.code in _TOO_MUCH_AT_ONCE else super().kind_of(status, error, wait_s)

    def status_of(self, error: VendorError) -> int:
        """Return the status that an error inside a status 200 should have had."""
        return 429 if error.code in _TOO_MUCH_AT_ONCE else _STATUS.get(error.code or "", 500)


PROVIDER = SunoApi(
    name="sunoapi",
    title="sunoapi.org",
    base_url="https://api.sunoapi.org",
    vendors=("suno",),
    spoken=(),
    embedding=None,
    jobs={"music": SUNOAPI_MUSIC},
    auth_codes=frozenset({"401", "403"}),
    quota_codes=frozenset({"402", "429"}),  # 429 is an account without credits
)
