"""Errbot's Text backend as an operator wants it."""
