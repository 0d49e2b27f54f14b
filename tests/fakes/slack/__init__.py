"""A strict Slack for tests: Web API, Socket Mode and file storage of a workspace, from Slack's documentation."""

from tests.fakes.slack.server import SlackLab

__all__ = ["SlackLab"]
