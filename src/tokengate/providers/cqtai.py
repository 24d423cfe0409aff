"""CQTAI, a seller of Suno's music: one route for every operation of `/suno/v2`.

An operator names another address of it with `base_url`.
"""

from tokengate.formats.cqtai.jobs import CQTAI_MUSIC
from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="cqtai",
    title="CQTAI",
    base_url="https://api.cqtai.com",
    vendors=("suno",),
    spoken=(),
    embedding=None,
    jobs={"music": CQTAI_MUSIC},
    # Errors come as numbers like statuses inside a status 200. https://www.cqtai.com/docs/suno, 2026-11
    auth_codes=frozenset({"401", "403"}),
    quota_codes=frozenset({"402"}),
)
