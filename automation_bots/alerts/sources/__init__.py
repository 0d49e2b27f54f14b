"""One file a kind of source: what it is configured by, and what it makes of what it hears."""
