"""SSH: one command per device, hundreds at once, in a process of its own."""
