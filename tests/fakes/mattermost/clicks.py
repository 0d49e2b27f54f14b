"""Buttons and dialogs of the test server."""

from __future__ import annotations

import base64
import binascii

from tests.fakes.mattermost import shapes
from tests.fakes.mattermost.posts import Posts
from tests.fakes.mattermost.shapes import Refused, bad_body, denied

DIALOG_SECONDS = 3


class Clicks:
    """What happens when somebody clicks."""

    def __init__(self, posts: Posts):
        self.posts = posts

    def action(self, me: str, post_id: str, action_id: str) -> tuple[dict, dict]:
        """The button that was clicked: what stands behind it, and what is sent there."""
        post = self.posts.get(me, post_id)
        if me not in self.posts.world.members(post["channel_id"]):
            raise denied()
        for attachment in post["props"].get("attachments", ()):
            for one in attachment.get("actions", ()):
                if one["id"] == action_id and "integration" in one:
                    return one, self._click(me, post, one)
        raise Refused(404, "api.post.do_action.action_id.app_error")

    def _click(self, me: str, post: dict, action: dict) -> dict:
        channel = self.posts.world.channels[post["channel_id"]]
        team = self.posts.world.teams.get(channel["team_id"], {})
        client = shapes.new_id()
        return {"user_id": me, "user_name": self.posts.world.users[me]["username"], "channel_id": channel["id"],
                "channel_name": channel["name"], "team_id": team.get("id", ""), "team_domain": team.get("name", ""),
                "post_id": post["id"], "trigger_id": shapes.trigger_id(client, me), "type": "", "data_source": "",
                "context": action["integration"].get("context", {})}  # fmt: skip

    def updated(self, post_id: str, update: dict) -> None:
        """What an integration answered to a click."""
        post = self.posts.posts[post_id]
        post["message"], post["props"] = update.get("message", ""), self.posts.kept_props("", update.get("props") or {})
        self.posts.edited(post)

    def dialog(self, body: dict) -> None:
        try:
            parts = base64.b64decode(body.get("trigger_id", ""), validate=True).decode().split(":")
            at = int(parts[2])
        except (binascii.Error, UnicodeDecodeError, ValueError, IndexError):
            raise Refused(400, "interactive_message.decode_trigger_id.base64_decode_failed") from None
        if shapes.now() - at > DIALOG_SECONDS * 1000:
            raise Refused(400, "interactive_message.decode_trigger_id.expired")
        if not body.get("url") or not body.get("dialog", {}).get("title"):
            raise bad_body()
