"""Suno's music: this gateway's own operations under `/suno/v2`, and the shape of `/suno/submit` that is widespread."""
