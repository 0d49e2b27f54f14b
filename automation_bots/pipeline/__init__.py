"""The way of a command: words → operation → devices → decision → job."""
