"""Gemini's wire format: generateContent, its streams, token counts and embeddings."""
