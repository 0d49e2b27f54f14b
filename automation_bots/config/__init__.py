"""A bot's folder: bot.toml checked, and policy, operations, inventory as they are now."""
