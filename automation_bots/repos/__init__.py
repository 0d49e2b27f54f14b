"""Plugins from elsewhere: fetched, looked at without running them, confirmed by an admin, kept apart, taken away."""
