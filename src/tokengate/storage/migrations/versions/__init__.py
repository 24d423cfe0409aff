"""The revisions, in order. A released one never changes."""
