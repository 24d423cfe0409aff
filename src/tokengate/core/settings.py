"""The configuration: `tokengate.toml`, the environment, and their defaults, as frozen structs.

The only place that reads the environment. Every key is optional, an unknown key is an error, and a message names
the line. Prices and other amounts are decimal strings.
"""

from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from tokengate.core.http import Timeouts


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8700
    data: Path = Path("data")
    database: str = ""  # SQLAlchemy-style URL; empty is SQLite in the data folder
    master_key_file: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_body_mb: int = 50
    cors: list[str] = field(default_factory=lambda: ["*"])
    body_timeout_s: float = 30.0  # the whole request body must have arrived by then
    stop_timeout_s: float = 30.0  # streams in flight may finish within this after SIGTERM


class CurrencySettings(Struct, frozen=True, forbid_unknown_fields=True):
    usd: str = "7.10"  # yuan per dollar


class UpstreamSettings(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    base_url: str
    provider: str = "openai_compatible"
    api_key: str = ""
    api_key_env: str = ""
    models: list[str] | dict[str, str] = field(default_factory=list)  # ours, or {"ours" = "theirs"}; empty: all of the vendor's
    weight: int = 1
    tier: int = 1  # lower tiers are tried first
    on_abort: Literal["cancel", "drain"] = "cancel"
    timeouts: Timeouts = Timeouts()
    proxy: str = ""
    ca_file: str = ""
    verify_tls: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    max_connections: int = 0  # 0: no limit


class PriceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Rates as decimal strings in `currency`, one word per usage bucket; see docs/guide on prices."""

    per: Literal["ktok", "mtok"] = "ktok"
    currency: Literal["cny", "usd"] = "cny"
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    reasoning: str | None = None
    image_in: str | None = None
    image_out: str | None = None
    video_in: str | None = None
    audio_in: str | None = None
    audio_out: str | None = None
    image: str | None = None
    second: str | None = None
    character: str | None = None
    search: str | None = None
    request: str | None = None
    batch: str | None = None
    when: list[dict[str, str | int | bool]] = field(default_factory=list)  # e.g. { up_to = 131072, input = "0.0024", ... }


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    kind: Literal["chat", "completion", "embedding", "image", "speech", "transcription", "video", "music", "rerank"] = "chat"
    name: str = ""
    vendor: str = ""
    series: str = ""
    context: int | None = None
    max_output: int | None = None
    aliases: list[str] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    region: Literal["国外", "国内", "内部"] = "内部"
    price: PriceSettings | None = None


class ChatEngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model: str = "smollm2-135m-instruct"
    gguf: str = ""  # empty: the SmolLM2 weights that `tokengate models pull smollm2` unpacks
    context: int = 8192
    threads: int = 0  # 0: all cores
    parallel: int = 4


class EmbeddingEngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model: str = "wordllama-256"


class EngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    chat: ChatEngineSettings = ChatEngineSettings()
    embedding: EmbeddingEngineSettings = EmbeddingEngineSettings()


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults per key; None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    spend_per_day: str | None = None  # yuan
    default_output_cap: int = 4096  # held for a call that names no cap


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    server: ServerSettings = ServerSettings()
    currency: CurrencySettings = CurrencySettings()
    upstream: list[UpstreamSettings] = field(default_factory=list)
    model: list[ModelSettings] = field(default_factory=list)
    engine: EngineSettings = EngineSettings()
    limits: LimitSettings = LimitSettings()
