"""Commands on the machine of the bot itself."""
