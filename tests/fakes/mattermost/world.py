"""What a server knows: accounts, tokens, teams, channels and who is in them; who may do what."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha1

from tests.fakes.mattermost import shapes
from tests.fakes.mattermost.shapes import Refused, bad_body, denied


class World:
    """Objects in the API's own JSON form; every method that refuses raises what the real server answers."""

    def __init__(self):
        self.user_ids: list[str] = []  # for the next accounts, where a test needs them in a certain order
        self.users: dict[str, dict] = {}
        self.passwords: dict[str, str] = {}
        self.tokens: dict[str, str] = {}  # token → user
        self.access: dict[str, dict] = {}  # personal access tokens by their id
        self.bots: set[str] = set()
        self.teams: dict[str, dict] = {}
        self.team_members: dict[str, dict[str, dict]] = {}
        self.channels: dict[str, dict] = {}
        self.channel_members: dict[str, dict[str, dict]] = {}
        self.publish: Callable[..., None] = lambda *_, **__: None
        self.post_system: Callable[..., None] = lambda *_, **__: None

    # -- accounts

    def user_of(self, request) -> str:
        """Who asks, by the token in the header; empty where it is not valid."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.tokens.get(token, "") if scheme.lower() == "bearer" else ""

    def is_admin(self, user_id: str) -> bool:
        return "system_admin" in self.users[user_id]["roles"].split()

    def create_user(self, body: dict) -> dict:
        name = body.get("username", "")
        if not name or not body.get("email"):
            raise bad_body()
        if any(one["username"] == name for one in self.users.values()):
            raise Refused(400, "app.user.save.username_exists.app_error")
        id_ = self.user_ids.pop(0) if self.user_ids else shapes.new_id()
        roles = "system_user" if self.users else "system_admin system_user"
        self.users[id_] = shapes.user(id_, name, body["email"], roles=roles, at=shapes.now())
        self.passwords[id_] = body.get("password", "")
        return self.users[id_]

    def login(self, body: dict) -> tuple[dict, str]:
        found = [one for one in self.users.values() if body.get("login_id") in (one["username"], one["email"])]
        if not found or found[0]["id"] in self.bots or self.passwords[found[0]["id"]] != body.get("password"):
            raise Refused(401, "api.user.login.invalid_credentials_email_username")
        token = shapes.new_id()
        self.tokens[token] = found[0]["id"]
        return found[0], token

    def create_bot(self, me: str, body: dict) -> dict:
        if not self.is_admin(me):
            raise denied()
        at, name = shapes.now(), body["username"]
        id_ = self.user_ids.pop(0) if self.user_ids else shapes.new_id()
        made = shapes.user(id_, name, f"{name}@localhost", first_name=body.get("display_name", ""), at=at)
        self.users[id_] = shapes.as_bot(made, body.get("description", ""))
        self.bots.add(id_)
        direct = self.direct(id_, [me, id_])
        self.post_system(id_, direct["id"], "Please add me to teams and channels you want me to interact in.", "")
        return {"user_id": id_, "username": name, "display_name": body.get("display_name", ""),
                "description": body.get("description", ""), "owner_id": me, "create_at": at, "update_at": at,
                "delete_at": 0}  # fmt: skip

    def create_token(self, me: str, user_id: str, body: dict) -> dict:
        if me != user_id and not self.is_admin(me):
            raise denied()
        made = {"id": shapes.new_id(), "token": shapes.new_id(), "user_id": user_id,
                "description": body["description"], "is_active": True}  # fmt: skip
        self.access[made["id"]] = made
        self.tokens[made["token"]] = user_id
        return made

    def revoke(self, token_id: str) -> None:
        self.tokens.pop(self.access.pop(token_id)["token"])

    def user(self, me: str, wanted: str) -> dict:
        id_ = me if wanted == "me" else wanted
        if id_ not in self.users:
            raise Refused(404, "app.user.missing_account.const")
        return self.seen(me, id_)

    def seen(self, me: str, user_id: str) -> dict:
        person = self.users[user_id]
        return person if me == user_id else shapes.of_others(person)

    def patch_user(self, me: str, user_id: str, body: dict) -> dict:
        user_id = me if user_id == "me" else user_id
        if me != user_id and not self.is_admin(me):
            raise denied()
        self.users[user_id].update({key: body[key] for key in ("username", "nickname", "first_name") if key in body})
        self.users[user_id]["update_at"] = shapes.now()
        for channel_id in self.channels:
            if user_id in self.members(channel_id):
                self.publish("user_updated", {"user": shapes.of_others(self.users[user_id])}, channel=channel_id)
        return self.users[user_id]

    # -- teams

    def create_team(self, me: str, body: dict) -> dict:
        made = shapes.team(body, self.users[me]["email"])
        self.teams[made["id"]], self.team_members[made["id"]] = made, {}
        for name, display in (("town-square", "Town Square"), ("off-topic", "Off-Topic")):
            channel = shapes.channel("O", name, display, team_id=made["id"])
            self._keep(channel, {})
        self.join_team(made["id"], me)
        return made

    def join_team(self, team_id: str, user_id: str) -> dict:
        self.team_members[team_id][user_id] = shapes.team_member(team_id, user_id)
        self.users[user_id]["update_at"] = shapes.now()
        for channel in self.channels.values():
            if channel["team_id"] == team_id and channel["name"] in ("town-square", "off-topic"):
                self.channel_members[channel["id"]][user_id] = shapes.member(channel["id"], user_id)
                text = f"{self.users[user_id]['username']} joined the team."
                self.post_system(user_id, channel["id"], text, "system_join_team")
        return self.team_members[team_id][user_id]

    def teams_of(self, me: str) -> list[dict]:
        mine = [team for team in self.teams.values() if me in self.team_members[team["id"]]]
        return [{**team, "email": "" if not self.is_admin(me) else team["email"]} for team in mine]

    # -- channels

    def members(self, channel_id: str) -> dict[str, dict]:
        return self.channel_members.get(channel_id, {})

    def _keep(self, channel: dict, members: dict[str, dict]) -> dict:
        self.channels[channel["id"]], self.channel_members[channel["id"]] = channel, members
        return channel

    def create_channel(self, me: str, body: dict) -> dict:
        if me not in self.team_members.get(body.get("team_id", ""), {}):
            raise denied()
        if body.get("type") not in ("O", "P") or not body.get("name"):
            raise bad_body()
        made = shapes.channel(body["type"], body["name"], body["display_name"], team_id=body["team_id"], creator=me)
        self._keep(made, {me: shapes.member(made["id"], me, admin=True)})
        return dict(made)

    def direct(self, me: str, ids: list[str]) -> dict:
        if not isinstance(ids, list) or len(ids) != 2 or not set(ids) <= set(self.users):
            raise bad_body()
        if me not in ids:
            raise denied()
        name = "__".join(sorted(ids))
        for channel in self.channels.values():
            if channel["name"] == name:
                return channel
        made = shapes.channel("D", name, "", creator=me)
        self._keep(made, {id_: shapes.member(made["id"], id_) for id_ in ids})
        other = next((id_ for id_ in ids if id_ != me), me)
        self.publish("direct_added", {"creator_id": me, "teammate_id": other}, channel=made["id"])
        return dict(made)

    def group(self, me: str, ids: list[str]) -> dict:
        everybody = sorted({me, *ids})
        if not 3 <= len(everybody) <= 8 or not set(everybody) <= set(self.users):
            raise bad_body()
        name = sha1("".join(everybody).encode()).hexdigest()
        for channel in self.channels.values():
            if channel["name"] == name:
                return channel
        display = ", ".join(sorted(self.users[id_]["username"] for id_ in everybody))
        made = shapes.channel("G", name, display)
        self._keep(made, {id_: shapes.member(made["id"], id_) for id_ in everybody})
        self.publish("group_added", {"teammate_ids": json.dumps(everybody)}, channel=made["id"])
        return dict(made)

    def channel(self, me: str, channel_id: str) -> dict:
        channel = self.channels.get(channel_id)
        if channel is None:
            raise Refused(404, "app.channel.get.existing.app_error")
        if me not in self.members(channel_id) and not self._open_to(me, channel) and not self.is_admin(me):
            raise denied()
        return channel

    def _open_to(self, me: str, channel: dict) -> bool:
        return channel["type"] == "O" and me in self.team_members.get(channel["team_id"], {})

    def channel_by_name(self, me: str, team_id: str, name: str) -> dict:
        for channel in self.channels.values():
            if channel["team_id"] == team_id and channel["name"] == name:
                return self.channel(me, channel["id"])
        raise Refused(404, "app.channel.get_by_name.missing.app_error")

    def channels_of(self, me: str, team_id: str) -> list[dict]:
        """Those of a team, and every direct one, by their shown names."""
        mine = [c for c in self.channels.values() if me in self.members(c["id"]) and c["team_id"] in ("", team_id)]
        return sorted(mine, key=lambda channel: channel["display_name"].lower())

    def add_member(self, me: str, channel_id: str, user_id: str) -> dict:
        channel = self.channel(me, channel_id)
        if me not in self.members(channel_id) and not (me == user_id and self._open_to(me, channel)):
            raise denied()
        if user_id not in self.team_members.get(channel["team_id"], {}):
            raise denied()
        made = dict(self.channel_members[channel_id].setdefault(user_id, shapes.member(channel_id, user_id)))
        self.publish("user_added", {"team_id": channel["team_id"], "user_id": user_id}, channel=channel_id)
        names = self.users[user_id]["username"], self.users[me]["username"]
        props = {"addedUserId": user_id, "addedUsername": names[0], "userId": me, "username": names[1]}
        text = f"{names[0]} added to the channel by {names[1]}."
        self.post_system(me, channel_id, text, "system_add_to_channel", props, mentions=[user_id])
        return made

    def remove_member(self, me: str, channel_id: str, user_id: str) -> None:
        user_id = me if user_id == "me" else user_id
        if me not in self.members(channel_id) or user_id not in self.members(channel_id):
            raise denied()
        self.publish("user_removed", {"remover_id": me, "user_id": user_id}, channel=channel_id)
        del self.channel_members[channel_id][user_id]
        self.publish("user_removed", {"channel_id": channel_id, "remover_id": me}, user=user_id)

    def viewed(self, me: str, channel_id: str) -> None:
        """Count everything as read by this person."""
        channel, member, at = self.channels[channel_id], self.members(channel_id)[me], shapes.now()
        member.update(last_viewed_at=channel["last_post_at"], last_update_at=at, mention_count=0)
        member.update(mention_count_root=0, msg_count=channel["total_msg_count"])
        member.update(msg_count_root=channel["total_msg_count_root"])
        self.publish("multiple_channels_viewed", {"channel_times": {channel_id: channel["last_post_at"]}}, user=me)
