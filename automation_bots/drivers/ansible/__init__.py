"""Ansible: playbooks as they are, and verbs as one command."""
