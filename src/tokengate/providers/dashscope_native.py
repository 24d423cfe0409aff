"""Alibaba DashScope (Bailian), in its own format: with it come whole films, sources of a search, and the vendor's own
request bodies forwarded as they are.

Beijing is the default; Singapore is https://dashscope-intl.aliyuncs.com/api/v1, and a workspace has an address of its
own. The vendor's compatible mode, which `DASHSCOPE_API_KEY` turns on, is another provider.
"""

from typing import Final

from tokengate.core.at_once import AtOnce
from tokengate.core.images import ImageFormats
from tokengate.formats.dashscope.embeddings import DASHSCOPE_EMBEDDINGS
from tokengate.formats.dashscope.films import DashScopeFilms
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.hearing import DashScopeHearing
from tokengate.formats.dashscope.images import EDIT, GENERATION
from tokengate.formats.dashscope.pictures import DashScopePictures
from tokengate.formats.dashscope.recordings import DashScopeRecordings
from tokengate.formats.dashscope.rerank import DASHSCOPE_RERANK
from tokengate.formats.dashscope.speech import DASHSCOPE_SPEECH
from tokengate.providers.compatible import OpenAICompatible
from tokengate.providers.error_body import VendorError

# The status of an error that comes inside a status 200, by the first word of its code.
# https://help.aliyun.com/zh/model-studio/error-code, 2026-11
_STATUS: Final = {
    "InvalidParameter": 400,
    "DataInspectionFailed": 400,
    "BadRequest": 400,
    "InvalidURL": 400,
    "Arrearage": 400,
    "UnsupportedOperation": 400,
    "InvalidApiKey": 401,
    "AccessDenied": 403,
    "AllocationQuota": 403,
    "ModelNotFound": 404,
    "Throttling": 429,
    "LimitRequests": 429,
    "ModelUnavailable": 503,
    "ModelServingError": 503,
    "ServiceUnavailable": 503,
}
_WRONG_SERVICE: Final = "url error"

_IMAGES: Final[ImageFormats] = {"generation": GENERATION, "edit": EDIT}


class DashScopeNative(OpenAICompatible, frozen=True, kw_only=True):
    """Knows DashScope's codes."""

    def kind_of(self, status: int, error: VendorError, wait_s: float | None) -> str:
        """Return whose matter it is. That a model is served elsewhere is ours, not the caller's."""
        if error.code == "InvalidParameter" and error.message.startswith(_WRONG_SERVICE):
            return "status"
        return super().kind_of(status, error, wait_s)

    def status_of(self, error: VendorError) -> int:
        """Return the status that an error inside a status 200 should have had."""
        return _STATUS.get((error.code or "").partition(".")[0], 500)


PROVIDER = DashScopeNative(
    name="dashscope_native",
    title="DashScope",
    base_url="https://dashscope.aliyuncs.com/api/v1",
    vendors=("qwen",),
    spoken=(DASHSCOPE,),
    embedding=DASHSCOPE_EMBEDDINGS,
    rerank=DASHSCOPE_RERANK,
    images=_IMAGES,
    jobs={
        "image": DashScopePictures(at_once=AtOnce(_IMAGES)),
        "video": DashScopeFilms(),
        "transcription": DashScopeRecordings(),
    },
    transcription=DashScopeHearing(),
    speech=DASHSCOPE_SPEECH,
    quota_codes=frozenset({"Arrearage", "AllocationQuota.FreeTierOnly"}),
)
