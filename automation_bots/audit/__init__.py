"""Copies, signatures and exports of the audit chain; the chain itself is in the store."""
