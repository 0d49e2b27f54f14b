"""Ansible's inventory and host patterns, without Ansible in the bot's process."""
