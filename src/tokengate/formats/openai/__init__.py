"""OpenAI's wire format: chat completions, completions and embeddings."""
