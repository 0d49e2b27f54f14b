"""Python functions as commands, each run in a process of its own."""
