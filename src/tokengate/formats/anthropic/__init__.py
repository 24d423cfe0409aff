"""Anthropic's wire format: Messages."""
