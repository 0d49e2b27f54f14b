"""What every chat network shares: contract of a client, queue of what goes out, delivery."""
