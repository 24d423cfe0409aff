"""What the same-format lane may edit in Anthropic's bytes: the model's name, and an output cap that nobody named."""

import msgspec

from tokengate.core.splice import Members


class AnthropicForwarding:
    """Implements `core.wire.Forwarding`."""

    def forward_chat(self, members: Members, *, model: str, output_cap: int | None) -> bytes:
        """Return the body under the vendor's name of the model."""
        wanted = {"model": msgspec.json.encode(model)}
        if output_cap is not None:
            wanted["max_tokens"] = b"%d" % output_cap
        present = {name: value for name, value in wanted.items() if name in members}
        added = {name: value for name, value in wanted.items() if name not in members}
        return members.edit(replace=present, add=added)

    def rename_model(self, data: bytes, model: str) -> bytes:
        """Return a whole message, or the event that begins a stream, with its model renamed."""
        if b'"model"' not in data:
            return data
        try:
            members = Members(data)
            if "model" in members:
                return members.replace("model", msgspec.json.encode(model))
            message = Members(members.get("message") or b"{}")
            if "model" not in message:
                return data
            return members.replace("message", message.replace("model", msgspec.json.encode(model)))
        except (ValueError, RecursionError):
            return data


FORWARDING = AnthropicForwarding()
