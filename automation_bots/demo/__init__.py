"""What `make demo` shows the bot on: simulated network devices, so that nobody needs a lab to try it."""
