"""Chat commands for IT operations, done safely: policy, queue, drivers, record."""

__version__ = "0.1.0"
