"""Mattermost: REST by mattermostautodriver, events over its websocket."""
