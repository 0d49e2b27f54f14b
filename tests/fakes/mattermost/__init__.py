"""A strict server that speaks Mattermost's API v4 and websocket as a real 9.8.1 was seen to do (capture-9.8.jsonl)."""
