"""Whether and how much to think, in all the spellings that OpenAI-compatible vendors have for it.

reasoning_effort                                OpenAI, xAI, DeepSeek, GLM, Ollama
reasoning {effort, max_tokens, exclude, enabled}   OpenRouter
thinking {type, budget_tokens}                  DeepSeek, GLM, MiniMax
enable_thinking, thinking_budget                DashScope
chat_template_kwargs {enable_thinking, thinking}, include_reasoning, thinking_token_budget   vLLM, SGLang
"""

from typing import Any, assert_never

from tokengate.core.chat import OPEN_BUDGET, Reasoning
from tokengate.core.errors import BadRequest
from tokengate.core.wire import Losses
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.fields import Fields
from tokengate.formats.openai.refusal import must_be

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

# From how many tokens on a thinking budget counts as an effort: what the gateways of this field agree on, roughly.
_EFFORT_FROM = ((16_384, "high"), (4_096, "medium"), (0, "low"))


def read_reasoning(given: Fields) -> Reasoning:
    """Take everything about reasoning out of the parameters. Raises BadRequest."""
    effort = _effort(given.text("reasoning_effort"), "reasoning_effort")
    enabled = given.flag("enable_thinking")
    budget = given.integer("thinking_budget")
    shown = given.flag("include_reasoning")

    if (inner := given.inner("reasoning")) is not None:
        effort = effort or _effort(inner.text("effort"), "reasoning.effort")
        budget = _first(budget, inner.integer("max_tokens"))
        enabled = _first(enabled, inner.flag("enabled"))
        hidden = inner.flag("exclude")
        shown = _first(shown, None if hidden is None else not hidden)
        given.keep("reasoning", inner)
    if (inner := given.inner("thinking")) is not None:
        kind = inner.text("type")
        if kind is not None and enabled is None:
            enabled = kind != "disabled"
        budget = _first(budget, inner.integer("budget_tokens"))
        if kind == "adaptive":
            budget = _first(budget, OPEN_BUDGET)
        given.keep("thinking", inner)
    if (inner := given.inner("chat_template_kwargs")) is not None:
        enabled = _first(enabled, inner.flag("enable_thinking"))
        enabled = _first(enabled, inner.flag("thinking"))
        given.keep("chat_template_kwargs", inner)
    budget = _first(budget, given.integer("thinking_token_budget"))
    if budget is not None and budget < OPEN_BUDGET:
        raise BadRequest("A thinking budget must not be negative.", param="thinking_budget")
    return Reasoning(enabled=enabled, effort=effort, budget=budget, shown=shown)


def write_reasoning(reasoning: Reasoning, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    """Return the parameters that say it to this vendor. What it has no way to say is dropped with a warning."""
    if reasoning.summary is not None:
        losses.drop("summary")
    match dialect.reasoning:
        case "effort":
            return _as_effort(reasoning, dialect, losses)
        case "object":
            return _as_object(reasoning)
        case "thinking":
            return _as_thinking(reasoning, dialect, losses)
        case "enable_thinking":
            return _as_switch(reasoning, dialect, losses)
        case "template":
            return _as_template(reasoning, dialect, losses)
        case _:
            assert_never(dialect.reasoning)


def is_off(reasoning: Reasoning) -> bool:
    """Say whether thinking was turned off."""
    return _enabled(reasoning) is False


def _as_effort(reasoning: Reasoning, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    effort = reasoning.effort
    if effort is None and reasoning.enabled is not None:
        effort = "none" if not reasoning.enabled else _effort_of(reasoning.budget)
    if reasoning.budget is not None and not reasoning.left_open:
        losses.drop("budget")
    _drop_hiding(reasoning, losses)
    return _effort_parameter(effort, dialect, losses)


def _as_object(reasoning: Reasoning) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    if reasoning.effort is not None:
        inner["effort"] = reasoning.effort
    if reasoning.budget is not None and reasoning.budget >= 0:
        inner["max_tokens"] = reasoning.budget
    if reasoning.enabled is not None:
        inner["enabled"] = reasoning.enabled
    if reasoning.shown is not None:
        inner["exclude"] = not reasoning.shown
    return {"reasoning": inner} if inner else {}


def _as_thinking(reasoning: Reasoning, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    if reasoning.budget is not None and reasoning.budget >= 0:
        losses.drop("budget")
    _drop_hiding(reasoning, losses)
    enabled = _enabled(reasoning)
    if enabled is None:
        return {}
    written: dict[str, Any] = {"thinking": {"type": dialect.thinking_on if enabled else "disabled"}}
    if enabled:
        written |= _effort_parameter(reasoning.effort, dialect, losses)
    return written


def _as_switch(reasoning: Reasoning, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    enabled = _enabled(reasoning)
    if enabled is not None:
        written["enable_thinking"] = enabled
    if reasoning.effort != "none":
        written |= _effort_parameter(reasoning.effort, dialect, losses)
    if reasoning.budget is not None and reasoning.budget > 0:
        written["thinking_budget"] = reasoning.budget
    _drop_hiding(reasoning, losses)
    return written


def _as_template(reasoning: Reasoning, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    enabled = _enabled(reasoning)
    if enabled is not None:
        # Qwen's and GLM's templates know one name, DeepSeek's the other; a template ignores what it does not use.
        written["chat_template_kwargs"] = {"enable_thinking": enabled, "thinking": enabled}
    if reasoning.effort != "none":
        written |= _effort_parameter(reasoning.effort, dialect, losses)
    if reasoning.budget is not None and reasoning.budget >= 0:
        if "budget" in dialect.lacks:
            losses.drop("budget")
        else:
            written["thinking_token_budget"] = reasoning.budget
    if reasoning.shown is not None:
        written["include_reasoning"] = reasoning.shown
    return written


def _effort_parameter(effort: str | None, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    if effort is None:
        return {}
    if "effort" in dialect.lacks or (dialect.efforts is not None and effort not in dialect.efforts):
        losses.drop("effort")
        return {}
    return {"reasoning_effort": effort}


def _effort_of(budget: int | None) -> str:
    if budget is None or budget < 0:
        return "medium"
    return next(effort for least, effort in _EFFORT_FROM if budget >= least)


def _enabled(reasoning: Reasoning) -> bool | None:
    """Return whether to think, which a budget or an effort says too."""
    if reasoning.enabled is not None:
        return reasoning.enabled
    if reasoning.effort is not None:
        return reasoning.effort != "none"
    return None if reasoning.budget is None else reasoning.budget != 0


def _drop_hiding(reasoning: Reasoning, losses: Losses) -> None:
    if reasoning.shown is False:
        losses.drop("shown")


def _effort(value: str | None, param: str) -> str | None:
    if value is not None and value not in EFFORTS:
        raise must_be(param, f"one of {', '.join(EFFORTS)}")
    return value


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one
