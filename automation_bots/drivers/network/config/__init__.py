"""Changes of configurations: planned, made with a way back, looked at again."""
