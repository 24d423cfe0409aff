"""The languages that `translation_options` may name for the translating models of the product page 002."""

from tokengate.core.errors import BadRequest
from tokengate.formats.openai.parameters import TranslationOptions
from tokengate.formats.openai.refusal import missing

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
_TARGETS = frozenset(LANGUAGES)
_SOURCES = _TARGETS | {"auto"}


def check_languages(model: str, options: TranslationOptions) -> None:
    """Check both languages for the models that the page lists them for. Raises BadRequest."""
    if model not in LISTED_FOR:
        return
    if options.target_lang is None:
        raise missing("translation_options.target_lang")
    _check(options.target_lang, _TARGETS, "translation_options.target_lang")
    if options.source_lang is not None:
        _check(options.source_lang, _SOURCES, "translation_options.source_lang")


def _check(language: str, known: frozenset[str], param: str) -> None:
    if language not in known:
        auto = ", or auto" if "auto" in known else ""
        raise BadRequest(f"'{param}' must be one of {', '.join(LANGUAGES)}{auto}.", param=param)
