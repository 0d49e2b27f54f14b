"""Secrets looked up, opened at the last moment, sealed at rest."""
