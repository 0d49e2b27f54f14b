"""Other bots: asked by signed requests over a queue, answered the same way; each judges people by its own policy."""
