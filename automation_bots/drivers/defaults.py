"""What the ways to devices do where bot.toml says nothing: its settings and the drivers read it here."""

OUTPUT_LIMIT = 1_000_000  # characters kept per device
CONFIG_LIMIT = 64_000_000  # of the running configuration of a network device
CONNECT_SECONDS = 10.0
KEEP_SECONDS = 60.0  # that a connection stays open for the next command
ANSIBLE_FORKS = 20
SSH_PARALLEL = 200
SSH_KEEP = 500  # connections
POWERSHELL_PARALLEL = 20
SALT_EAUTH = "pam"
SALT_ANSWER_SECONDS = 5.0
NETWORK_PARALLEL = 500
NETWORK_THREADS = 50
NETWORK_READ_SECONDS = 30.0
REACH_PACKETS_PER_SECOND = 5000.0
