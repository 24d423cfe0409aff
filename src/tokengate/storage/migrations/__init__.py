"""The schema's history: one numbered Alembic revision per file of `versions/`, run from inside the package."""
