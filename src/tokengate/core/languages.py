"""The languages that `translation_options` may name for the translating models of the product page 002."""

from tokengate.core.errors import BadRequest

LISTED_FOR = frozenset({"qwen-mt-turbo", "qwen-mt-plus"})

LANGUAGES = (
    "Chinese",
    "English",
    "Japanese",
    "Korean",
    "Thai",
    "French",
    "German",
    "Spanish",
    "Arabic",
    "Indonesian",
    "Vietnamese",
    "Portuguese",
    "Italian",
    "Dutch",
    "Russian",
    "Khmer",
    "Lao",
    "Burmese",
    "Cebuano",
    "Filipino",
    "Czech",
    "Polish",
    "Persian",
    "Hebrew",
    "Turkish",
    "Hindi",
    "Bengali",
    "Urdu",
)
_MISSING = "missing_required_parameter"
_TARGETS = frozenset(LANGUAGES)
_SOURCES = _TARGETS | {"auto"}


def check_languages(model: str, source: str | None, target: str | None, param: str) -> None:
    """Check both languages for the models that the page lists them for; `param` is the options' name. Raises
    BadRequest."""
    if model not in LISTED_FOR:
        return
    if target is None:
        raise BadRequest(f"'{param}.target_lang' is required.", param=f"{param}.target_lang", code=_MISSING)
    _check(target, _TARGETS, f"{param}.target_lang")
    if source is not None:
        _check(source, _SOURCES, f"{param}.source_lang")


def _check(language: str, known: frozenset[str], param: str) -> None:
    if language not in known:
        auto = ", or auto" if "auto" in known else ""
        raise BadRequest(f"'{param}' must be one of {', '.join(LANGUAGES)}{auto}.", param=param)
