"""Reads that are repeated and judged: states, news, pictures, and how things were before and after a change."""
