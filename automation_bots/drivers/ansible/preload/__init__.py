"""Ansible kept in memory, so that a playbook begins without importing it anew."""
