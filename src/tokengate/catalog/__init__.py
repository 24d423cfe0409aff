"""What can be called and what it costs: models, prices and their versions, token counts without a tokenizer."""
