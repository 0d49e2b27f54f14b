"""Network devices: their command lines read and configured, in a process of its own. See `driver.py` for the way."""
