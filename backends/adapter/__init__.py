"""Between Errbot and the bot: the gate around every command, its thread pool, its messages."""
