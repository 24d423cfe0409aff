"""CQTAI's Suno: one route for every task, which is named by `task`."""
