"""The command `automation-bots`."""
