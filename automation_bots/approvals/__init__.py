"""Requests that wait for people or for their time."""
