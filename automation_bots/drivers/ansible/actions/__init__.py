"""Tasks that a playbook of a bot may have beside Ansible's own; a folder that is handed to Ansible."""
