"""Stored responses: what callers of the Responses API let us keep, scoped to org and project."""
