"""One bot put together: the only place that wires parts, and the process around it."""
