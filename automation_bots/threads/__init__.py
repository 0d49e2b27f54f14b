"""Threads that wake up at intervals or when told, each a `Loop`."""
