"""What is edited in bytes that pass from a caller of this format to a vendor of it, and back."""

import msgspec

from tokengate.core.splice import Members


class AnthropicForwarding:
    """Implements `core.wire.Forwarding`."""

    __slots__ = ()

    def forward_chat(self, members: Members, *, model: str, output_cap: int | None) -> bytes:
        """Return a request's body under the vendor's name of the model; a given output cap replaces the caller's.

        A budget of thinking that the new cap leaves no room for goes with it.
        """
        replace = {"model": msgspec.json.encode(model)}
        remove: set[str] = set()
        if output_cap is not None:
            replace["max_tokens"] = str(output_cap).encode()
            if _budget_of(members.get("thinking")) >= output_cap:
                remove.add("thinking")
        return members.edit(replace=replace, remove=remove)

    def rename_model(self, data: bytes, model: str) -> bytes:
        """Return a whole reply, or the data of a stream's frame, with the model called as the caller called it."""
        if b'"model"' not in data:
            return data
        try:
            members = Members(data)
            if "model" in members:
                return members.replace("model", msgspec.json.encode(model))
            message = Members(members.get("message") or b"{}")
            if members.get("type") != b'"message_start"' or "model" not in message:
                return data
            return members.replace("message", message.replace("model", msgspec.json.encode(model)))
        except (ValueError, RecursionError):
            return data


class _Thinking(msgspec.Struct):
    budget_tokens: int | None = None


_decode = msgspec.json.Decoder(_Thinking | None).decode


def _budget_of(thinking: bytes | None) -> int:
    wire = _decode(thinking) if thinking is not None else None
    return wire.budget_tokens or 0 if wire is not None else 0


FORWARDING = AnthropicForwarding()
