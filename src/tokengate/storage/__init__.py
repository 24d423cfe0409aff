"""The database: engine, tables, migrations, the group commit, and what other processes changed."""
