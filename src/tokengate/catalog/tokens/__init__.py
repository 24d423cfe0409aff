"""How many tokens a prompt or a reply has: a bound for holds, an estimate, and counts by the models' own tokenizers.

Nothing here loads a tokenizer before the first count that needs one.
"""

from tokengate.catalog.tokens.bound import prompt_bound
from tokengate.catalog.tokens.chat import Counted, count_chat, count_text
from tokengate.catalog.tokens.estimate import TokenEstimate, estimate_tokens

__all__ = ["Counted", "TokenEstimate", "count_chat", "count_text", "estimate_tokens", "prompt_bound"]
