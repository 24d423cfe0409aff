"""The one pipeline: admit, route, attempt, meter."""
