"""Where Ansible finds our callback plugin; it runs inside ansible-playbook, so it imports nothing of us."""
