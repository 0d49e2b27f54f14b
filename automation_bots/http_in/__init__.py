"""The one listener for all that comes in by HTTP: it is handed its receivers, and knows nothing of what they do."""
