"""Posts, threads, reactions and files of the test server."""

from __future__ import annotations

import json
import re
import time

from tests.fakes.mattermost import shapes
from tests.fakes.mattermost.shapes import Refused, denied
from tests.fakes.mattermost.world import World

_CODE = re.compile(r"(`{3,})[^\n]*\n.*?(\n\1|\Z)|`[^`\n]+`", re.DOTALL)
_MENTION = re.compile(r"(?<![\w.-])@([\w.-]+)")
SINCE_LIMIT = 1000


class Posts:
    """Everything that hangs on posts."""

    def __init__(self, world: World):
        self.world = world
        self.posts: dict[str, dict] = {}
        self.reactions: dict[str, list[dict]] = {}
        self.files: dict[str, tuple[dict, bytes]] = {}
        self.pending: dict[str, tuple[str, float]] = {}  # which post, and until when that is known
        self.pending_seconds = 30.0
        self.followers: dict[str, dict[str, int]] = {}  # of a thread: who, and when that person last looked
        self.notified: list[tuple[str, str]] = []  # (person, post): whom a mention called
        world.post_system = self.system

    # -- writing

    def create(self, me: str, body: dict) -> dict:
        if me not in self.world.members(body.get("channel_id", "")):
            raise denied()
        pending = body.get("pending_post_id", "")
        if self.pending.get(pending, ("", 0.0))[1] > time.monotonic():
            return self._again(me, self.posts[self.pending[pending][0]])
        root = body.get("root_id", "")
        if root and not self._is_root(root, body["channel_id"]):
            raise Refused(400, "api.post.create_post.root_id.app_error")
        message = body.get("message", "")
        if len(message) > shapes.MESSAGE_LIMIT:
            raise Refused(400, "model.post.is_valid.msg.app_error")
        props = self.kept_props(me, body.get("props") or {})
        post = shapes.post(me, body["channel_id"], message, root=root, props=props)
        if files := [id_ for id_ in body.get("file_ids") or () if self._free(me, id_)]:
            post["file_ids"] = files
            for id_ in files:
                self.files[id_][0]["post_id"] = post["id"]
        self.posts[post["id"]] = post
        if pending:
            self.pending[pending] = (post["id"], time.monotonic() + self.pending_seconds)
        self._announce(post, pending=pending)
        return {**self.seen(post), "pending_post_id": pending}

    def _again(self, me: str, post: dict) -> dict:
        """The same pending id again gives the same post; the server then counts the channel as read."""
        self.world.viewed(me, post["channel_id"])
        return {key: value for key, value in self.seen(post).items() if key != "metadata"}

    def kept_props(self, me: str, given: dict) -> dict:
        props = dict(given)
        if "attachments" in props:
            props["attachments"] = [shapes.attachment(one) for one in props["attachments"]]
        return {**props, "from_bot": "true"} if me in self.world.bots else props

    def _is_root(self, root: str, channel_id: str) -> bool:
        post = self.posts.get(root)
        return bool(post and not post["delete_at"] and not post["root_id"] and post["channel_id"] == channel_id)

    def _free(self, me: str, file_id: str) -> bool:
        return file_id in self.files and self.files[file_id][0]["user_id"] == me and not self.attached(file_id)

    def attached(self, file_id: str) -> str:
        return self.files[file_id][0].get("post_id", "")

    def system(self, me: str, channel_id: str, text: str, type_: str, props: dict | None = None, mentions=()):
        post = shapes.post(me, channel_id, text, type_=type_, props=props or {})
        if type_:
            del post["remote_id"]
        self.posts[post["id"]] = post
        self._announce(post, mentions=list(mentions))

    def _announce(self, post: dict, *, mentions: list[str] | None = None, pending: str = "") -> None:
        """Count it, tell who is in the channel, and whom a mention calls."""
        channel, me = self.world.channels[post["channel_id"]], post["user_id"]
        mentions = self._mentioned(post, channel) if mentions is None else mentions
        self._count(post, channel)
        for id_ in mentions:
            self.world.members(channel["id"])[id_]["mention_count"] += 1
            self.world.members(channel["id"])[id_]["mention_count_root"] += not post["root_id"]
            self.notified.append((id_, post["id"]))
        self.world.publish("posted", self.posted(post, pending), channel=channel["id"], mentioned=mentions)
        if post["root_id"]:
            self._thread(post, channel)
        elif me not in self.world.bots and not post["type"]:
            self.world.viewed(me, channel["id"])

    def posted(self, post: dict, pending: str = "") -> dict:
        channel = self.world.channels[post["channel_id"]]
        sender = "System" if post["type"].startswith("system_") else f"@{self.world.users[post['user_id']]['username']}"
        display = f"@{self.world.users[post['user_id']]['username']}" if channel["type"] == "D" else ""
        data = {"channel_display_name": display or channel["display_name"], "channel_name": channel["name"],
                "channel_type": channel["type"], "sender_name": sender, "set_online": True,
                "team_id": channel["team_id"]}  # fmt: skip
        data["post"] = json.dumps({**self.seen(post), "pending_post_id": pending}, ensure_ascii=False)
        if post.get("file_ids"):
            data["otherFile"] = "true"
        return data

    def _count(self, post: dict, channel: dict) -> None:
        channel["last_post_at"] = post["create_at"]
        if not post["root_id"]:
            channel["last_root_post_at"] = post["create_at"]
        if not post["type"]:
            channel["total_msg_count"] += 1
            channel["total_msg_count_root"] += not post["root_id"]

    def _mentioned(self, post: dict, channel: dict) -> list[str]:
        """Whom a text calls; code calls nobody, a direct message the other one."""
        others = [id_ for id_ in self.world.members(channel["id"]) if id_ != post["user_id"]]
        if channel["type"] == "D":
            return others
        names = {name.lower().rstrip(".-_") for name in _MENTION.findall(_CODE.sub(" ", post["message"]))}
        everybody = names & {"all", "channel", "here"}
        return [id_ for id_ in others if everybody or self.world.users[id_]["username"] in names]

    def _thread(self, post: dict, channel: dict) -> None:
        root, at = self.posts[post["root_id"]], post["create_at"]
        root["update_at"] = at
        followers = self.followers.setdefault(root["id"], {root["user_id"]: 0})
        previous = followers.get(post["user_id"], 0)
        followers[post["user_id"]] = previous
        replies = self.replies(root["id"])
        people = list(dict.fromkeys(one["user_id"] for one in replies))
        shown = {key: value for key, value in self.seen(root, reply_count=0).items()
                 if key not in ("metadata", "has_reactions")}  # fmt: skip
        if self.reactions.get(root["id"]):
            shown["has_reactions"] = True
        for id_ in followers:
            thread = {"id": root["id"], "reply_count": len(replies), "last_reply_at": at,
                      "last_viewed_at": followers[id_],
                      "participants": [shapes.of_others(self.world.users[one]) for one in people], "post": shown,
                      "unread_replies": 0, "unread_mentions": 0, "is_urgent": False, "delete_at": 0}  # fmt: skip
            data = {"previous_unread_mentions": 0, "previous_unread_replies": 0, "thread": json.dumps(thread)}
            self.world.publish("thread_updated", data, user=id_, team=channel["team_id"])
        followers[post["user_id"]] = shapes.now()

    # -- reading

    def replies(self, root_id: str) -> list[dict]:
        return [one for one in self.posts.values() if one["root_id"] == root_id and not one["delete_at"]]

    def seen(self, post: dict, *, reply_count: int | None = None) -> dict:
        """A post as clients get it."""
        count = len(self.replies(post["root_id"])) if post["root_id"] else 0
        shown = {**post, "reply_count": count if reply_count is None else reply_count}
        metadata: dict = {}
        if "attachments" in post["props"]:
            shown["props"] = {**post["props"], "attachments": shapes.seen(post["props"]["attachments"])}
            metadata["embeds"] = [{"type": "message_attachment"}]
        if files := post.get("file_ids"):
            metadata["files"] = [self.files[id_][0] for id_ in files]
        if reactions := self.reactions.get(post["id"]):
            shown["has_reactions"] = True
            metadata["reactions"] = reactions
        return {**shown, "metadata": metadata}

    def get(self, me: str, post_id: str) -> dict:
        post = self.posts.get(post_id)
        if post is None or post["delete_at"]:
            raise Refused(404, "app.post.get.app_error")
        self.world.channel(me, post["channel_id"])
        return post

    def listed(self, me: str, channel_id: str, *, since: int = 0, page: int = 0, per_page: int = 60) -> dict:
        """Posts of a channel, the newest first: changed since a time, or page by page."""
        if me not in self.world.members(channel_id):
            raise denied()
        all_ = [one for one in self.posts.values() if one["channel_id"] == channel_id]
        all_.sort(key=lambda one: one["create_at"])
        if since:
            chosen = [one for one in all_ if one["update_at"] > since][:SINCE_LIMIT]
        else:
            alive = [one for one in reversed(all_) if not one["delete_at"]]
            chosen = alive[page * per_page : (page + 1) * per_page][::-1]
        return _list([self.seen(one, reply_count=None if one["root_id"] else 0) for one in reversed(chosen)])

    def thread(self, me: str, post_id: str) -> dict:
        post = self.get(me, post_id)
        root = post["root_id"] or post["id"]
        return _list([self.seen(one) for one in (self.posts[root], *self.replies(root))])

    # -- changing

    def patch(self, me: str, post_id: str, body: dict) -> dict:
        post = self.posts.get(post_id)
        if post is None or post["delete_at"] or post["user_id"] != me:
            raise denied()
        if len(body.get("message", "")) > shapes.MESSAGE_LIMIT:
            raise Refused(400, "model.post.is_valid.msg.app_error")
        if "props" in body:
            post["props"] = self.kept_props(me, body["props"])
        post["message"] = body.get("message", post["message"])
        return self.edited(post)

    def edited(self, post: dict) -> dict:
        post["update_at"] = post["edit_at"] = shapes.now()
        shown = self.seen(post, reply_count=None if post["root_id"] else len(self.replies(post["id"])))
        data = {"post": json.dumps(shown, ensure_ascii=False)}
        self.world.publish("post_edited", data, channel=post["channel_id"])
        return shown

    def delete(self, me: str, post_id: str) -> None:
        post = self.posts.get(post_id)
        if post is None or post["delete_at"] or (post["user_id"] != me and not self.world.is_admin(me)):
            raise denied()
        shown = {key: value for key, value in self.seen(post).items() if key != "metadata"}
        shown["reply_count"] = len(self.replies(post_id))
        for one in (post, *self.replies(post_id)):
            one["delete_at"] = one["update_at"] = shapes.now()
        extra = {"contains_sanitized_data": True}
        self.world.publish("post_deleted", {"post": json.dumps(shown)}, channel=post["channel_id"], extra=extra)

    def react(self, me: str, body: dict) -> dict:
        if body.get("user_id") != me:
            raise Refused(403, "api.reaction.save_reaction.user_id.app_error")
        post = self.posts.get(body.get("post_id", ""))
        if post is None or post["delete_at"] or me not in self.world.members(post["channel_id"]):
            raise denied()
        if body["emoji_name"] not in shapes.EMOJI:
            raise Refused(404, "app.emoji.get_by_name.no_result")
        made = shapes.reaction(me, post["id"], body["emoji_name"], post["channel_id"])
        given = self.reactions.setdefault(post["id"], [])
        if not any(one["user_id"] == me and one["emoji_name"] == made["emoji_name"] for one in given):
            given.append(made)
        post["update_at"] = max(post["update_at"], made["create_at"])
        self.world.publish("reaction_added", {"reaction": json.dumps(made)}, channel=post["channel_id"])
        return made

    def unreact(self, me: str, user_id: str, post_id: str, name: str) -> None:
        if user_id not in ("me", me) or post_id not in self.posts:
            raise denied()
        given = self.reactions.get(post_id, [])
        self.reactions[post_id] = [one for one in given if (one["user_id"], one["emoji_name"]) != (me, name)]
        gone = {**shapes.reaction(me, post_id, name, ""), "create_at": 0}
        data = {"reaction": json.dumps(gone)}
        self.world.publish("reaction_removed", data, channel=self.posts[post_id]["channel_id"])

    # -- files

    def upload(self, me: str, channel_id: str, name: str, content: bytes, mime: str) -> dict:
        if me not in self.world.members(channel_id):
            raise denied()
        info = shapes.file_info(me, channel_id, name, len(content), mime)
        self.files[info["id"]] = (info, content)
        return info

    def file(self, me: str, file_id: str) -> tuple[dict, bytes]:
        if file_id not in self.files:
            raise Refused(404, "app.file_info.get.app_error")
        info, content = self.files[file_id]
        if info["user_id"] != me:
            self.world.channel(me, info["channel_id"])
        return info, content


def _list(posts: list[dict]) -> dict:
    return {"order": [one["id"] for one in posts], "posts": {one["id"]: one for one in posts}, "next_post_id": "",
            "prev_post_id": "", "has_next": False, "first_inaccessible_post_time": 0}  # fmt: skip
