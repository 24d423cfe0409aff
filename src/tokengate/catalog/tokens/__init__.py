"""How many tokens a prompt or a reply has: a bound for holds, an estimate, and counts by the models' own tokenizers.

Nothing here loads a tokenizer before the first count that needs one.
"""

from tokengate.catalog.tokens.bound import document_bound, prompt_bound, sound_bound
from tokengate.catalog.tokens.chat import Counted, count_chat, count_texts
from tokengate.catalog.tokens.estimate import TokenEstimate, estimate_tokens
from tokengate.catalog.tokens.growing import GrowingTexts
from tokengate.catalog.tokens.vision import picture_bound

__all__ = [
    "Counted",
    "GrowingTexts",
    "TokenEstimate",
    "count_chat",
    "count_texts",
    "document_bound",
    "estimate_tokens",
    "picture_bound",
    "prompt_bound",
    "sound_bound",
]
