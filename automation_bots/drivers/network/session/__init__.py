"""Command lines of network devices, opened and read."""
