"""How the bot itself is: health, figures for Prometheus, log."""
