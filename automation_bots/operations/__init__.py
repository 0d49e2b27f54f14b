"""What the bot can do, read from files: verbs, playbooks, Python functions."""
