"""Rules of rules.yml: which event posts, proposes or runs what; judged, throttled, done once, and told."""
