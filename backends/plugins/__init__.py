"""Errbot's side of plugins from elsewhere."""
