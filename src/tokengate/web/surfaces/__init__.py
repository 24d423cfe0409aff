"""One file per public API family."""
