"""DashScope's own format: text generation and multimodal generation, embeddings and rerank, below `/services/`."""
