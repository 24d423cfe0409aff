"""The `x-ratelimit-*` headers, as OpenAI sends them."""

Headers = tuple[tuple[str, str], ...]

REQUESTS = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
TOKENS = ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens")

_MINUTE_S = 60
_HOUR_S = 3_600


def rate_headers(names: tuple[str, str, str], limit: int, remaining: int, reset_us: int) -> Headers:
    """Return the three headers of one limit; `names` is REQUESTS or TOKENS."""
    limit_name, remaining_name, reset_name = names
    return ((limit_name, str(limit)), (remaining_name, str(remaining)), (reset_name, write_duration(reset_us)))


def write_duration(duration_us: int) -> str:
    """Return a duration such as `120ms`, `8.64s` or `6m0s`, rounded up to a millisecond."""
    ms = -(-duration_us // 1000)
    if 0 < ms < 1000:
        return f"{ms}ms"
    seconds, ms = divmod(ms, 1000)
    hours, seconds = divmod(seconds, _HOUR_S)
    minutes, seconds = divmod(seconds, _MINUTE_S)
    text = f"{seconds}.{ms:03d}".rstrip("0").rstrip(".") if ms else str(seconds)
    if hours:
        return f"{hours}h{minutes}m{text}s"
    return f"{minutes}m{text}s" if minutes else f"{text}s"
