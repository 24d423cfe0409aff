"""Who may call: orgs, projects and API keys."""
