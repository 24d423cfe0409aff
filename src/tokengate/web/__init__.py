"""HTTP and nothing else: paths to surfaces, bodies in, replies out."""
