"""The commands of the bot itself, a file a group, as `!help` groups them."""
