"""What can be configured, with defaults, as frozen structs; `settings_file.py` reads it from `tokengate.toml`.

Every table is optional and an unknown key is an error. Prices and other amounts are decimal strings.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from tokengate.core.http import Seconds, Timeouts

Name = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Amount = Annotated[
    str, Meta(pattern=r"^\d{1,10}(\.\d{1,9})?$", description='a decimal number in quotes, such as "0.0025"')
]
Address = Annotated[
    str, Meta(pattern=r"^https?://[^/\s]", description='an address in quotes, such as "https://api.example.com/v1"')
]
Kind = Literal[
    "chat", "completion", "embedding", "image", "speech", "transcription", "video", "music", "rerank", "moderation"
]


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8700
    data: Path = Path("data")
    database: str = ""  # SQLAlchemy-style URL; empty is SQLite in the data folder
    master_key_file: str = ""  # empty: master.key in the data folder
    keep_calls_days: Annotated[int, Meta(ge=0, le=36_500)] = 0  # days before today; 0 is for ever
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_body_mb: Positive = 50
    cors: list[str] = field(default_factory=lambda: ["*"])  # origins that browsers may call from
    trusted_proxies: list[str] = field(default_factory=list[str])  # whose X-Forwarded-For is believed
    body_timeout_s: Seconds = 30.0  # the whole request body must have arrived by then
    stop_timeout_s: Seconds = 30.0  # streams in flight may finish within this after SIGTERM


class CurrencySettings(Struct, frozen=True, forbid_unknown_fields=True):
    usd: Amount = "7.10"  # yuan per dollar


class UpstreamSettings(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    base_url: Address = ""  # empty: the provider's own
    provider: str = "openai_compatible"
    api_key: str = ""
    api_key_env: str = ""
    # Ours, or {"ours" = "theirs"}; empty offers every model of the vendor.
    models: list[str] | dict[str, str] = field(default_factory=list[str])
    weight: Positive = 1
    tier: Positive = 1  # lower tiers are tried first
    on_abort: Literal["cancel", "drain"] = "cancel"
    timeouts: Timeouts = Timeouts()
    proxy: str = ""
    ca_file: str = ""
    verify_tls: bool = True
    headers: dict[str, str] = field(default_factory=dict[str, str])
    max_connections: Count = 0  # 0: no limit


class PriceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Rates as decimal strings in `currency`, one word per usage bucket; a word left out falls back to its parent."""

    per: Literal["ktok", "mtok"] = "ktok"
    currency: Literal["cny", "usd"] = "cny"
    input: Amount | None = None
    output: Amount | None = None
    cache_read: Amount | None = None
    cache_write_5m: Amount | None = None
    cache_write_1h: Amount | None = None
    reasoning: Amount | None = None
    image_in: Amount | None = None
    image_out: Amount | None = None
    video_in: Amount | None = None
    audio_in: Amount | None = None
    audio_out: Amount | None = None
    image: Amount | None = None
    second: Amount | None = None
    character: Amount | None = None
    search: Amount | None = None
    request: Amount | None = None
    batch: Amount | None = None
    when: list[dict[str, str | int | bool]] = field(default_factory=list[dict[str, str | int | bool]])  # tiers


class CallLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a key may ask for; None is no limit."""

    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    concurrency: Positive | None = None
    spend_per_day: Amount | None = None  # yuan


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    id: Name
    kind: Kind | None = None  # a row of the catalogue keeps its own, a new one is "chat"
    name: str = ""
    vendor: str = ""
    series: str = ""
    context: Positive | None = None
    max_output: Positive | None = None
    aliases: list[str] = field(default_factory=list[str])
    capabilities: list[str] = field(default_factory=list[str])
    region: Literal["国外", "国内", "内部"] | None = None  # likewise; a new one is "内部"
    formats: list[str] = field(default_factory=list[str])  # in which its vendor offers it; empty: all it speaks
    price: PriceSettings | None = None
    limits: CallLimits = CallLimits()  # of each key, for this model


Words = str | dict[Literal["zh", "en"], str]  # one text for every reader, or one per language


class AppSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An AI application: a named preset over a model, called as `app/NAME`."""

    name: Annotated[
        str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description='a short name in quotes, such as "xiaowei"')
    ]
    model: Name
    title: Words = ""
    description: Words = ""
    system: str = ""  # the prompt that goes before every conversation
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])  # over the caller's own, by OpenAI's names
    allowed: list[str] | None = None  # parameters that callers may give; left out: all
    price: PriceSettings | None = None  # left out: the model's


class ChatEngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model: str = "smollm2-135m-instruct"
    gguf: str = ""  # empty: the SmolLM2 weights that `tokengate models pull smollm2` unpacks
    context: Positive = 8192
    threads: Count = 0  # 0: half of the cores
    parallel: Positive = 2


class EmbeddingEngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model: str = "wordllama-256"


class SpeechEngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model: str = "piper-joe"
    parallel: Positive = 1  # texts that are read aloud at once, each by a process of its own
    ffmpeg: str = ""  # the program for mp3, opus, aac and flac; empty: the system's, or the one of imageio-ffmpeg


class TranscriptionEngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model: str = "whisper-tiny.en"
    threads: Count = 0  # 0: half of the cores
    parallel: Positive = 1  # recordings that are heard at once, each by a process of its own


class EngineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    chat: ChatEngineSettings = ChatEngineSettings()
    embedding: EmbeddingEngineSettings = EmbeddingEngineSettings()
    speech: SpeechEngineSettings = SpeechEngineSettings()
    transcription: TranscriptionEngineSettings = TranscriptionEngineSettings()


class LimitSettings(CallLimits, frozen=True, forbid_unknown_fields=True):
    """Defaults per key, for all models together."""

    default_output_cap: Positive = 4096  # held for a call that names no cap


class PortalSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The portal and the console; an operator changes the first four in the console, too."""

    sign_up: Literal["open", "invitation", "closed"] = "invitation"
    public: bool = True  # the documentation is for everybody, not only for who is signed in
    site_name: Name = "TokenGate"
    contact: str = ""  # Markdown
    base_url: str = ""  # where callers reach the gateway, such as https://ai.example.com; empty: the request's Host
    session_days: Positive = 14


class OidcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider of sign-ins."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}$", description='a short name in quotes, such as "google"')]
    issuer: Address
    client_id: Name
    title: str = ""  # on the button
    client_secret: str = ""
    client_secret_env: str = ""
    scopes: list[str] = field(default_factory=lambda: ["openid", "profile", "email"])
    trust_email: bool = False  # an address counts as verified although the provider does not say so
    create_users: bool = False  # whoever the provider knows gets an account, whatever sign_up says
    join_org: str = ""  # the id of the org that they join; empty: one of their own
    join_role: Literal["admin", "developer", "billing", "viewer"] = "developer"
    proxy: str = ""
    ca_file: str = ""


class OutboundSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be sent to where a user of the platform says, such as an alert's webhook."""

    private_hosts: list[str] = field(default_factory=list[str])  # may be at private addresses


class ResultSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the files that jobs make are kept, and for how long."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^((s3|oss)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w./=-]*)?|file:///.+)?$",
            description='an address in quotes, such as "s3://bucket/prefix", "oss://bucket/prefix" or "file:///srv/files"',
        ),
    ] = ""  # empty: the folder `results` in the data folder
    endpoint: Annotated[
        str,
        Meta(pattern=r"^(https?://[^/\s]+/?)?$", description='an address in quotes, such as "https://s3.example.com"'),
    ] = ""  # empty: the vendor's own
    region: str = ""
    bucket_in_host: bool = False  # https://bucket.host/key, not https://host/bucket/key; OSS always
    access_key_env: Name = "AWS_ACCESS_KEY_ID"
    secret_key_env: Name = "AWS_SECRET_ACCESS_KEY"
    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 7  # 0 is for ever


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    server: ServerSettings = ServerSettings()
    currency: CurrencySettings = CurrencySettings()
    upstream: list[UpstreamSettings] = field(default_factory=list[UpstreamSettings])
    model: list[ModelSettings] = field(default_factory=list[ModelSettings])
    app: list[AppSettings] = field(default_factory=list[AppSettings])
    engine: EngineSettings = EngineSettings()
    limits: LimitSettings = LimitSettings()
    outbound: OutboundSettings = OutboundSettings()
    portal: PortalSettings = PortalSettings()
    results: ResultSettings = ResultSettings()
    oidc: list[OidcSettings] = field(default_factory=list[OidcSettings])
