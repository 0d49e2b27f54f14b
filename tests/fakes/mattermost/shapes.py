"""The JSON objects of the API, field by field as the real server writes them, and its refusals."""

from __future__ import annotations

import base64
import secrets
import time

VERSION = "9.8.1..aacfe40ac907e6f18510b588cee4ec11.false"
MESSAGE_LIMIT = 16383
_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
MESSAGES = {
    "api.context.session_expired.app_error": "Invalid or expired session, please login again.",
    "api.context.permissions.app_error": "You do not have the appropriate permissions.",
    "api.context.invalid_body_param.app_error": "Invalid or missing parameter in request body.",
    "api.context.invalid_url_param.app_error": "Invalid or missing parameter in request URL.",
    "api.context.404.app_error": "Sorry, we could not find the page.",
    "api.user.login.invalid_credentials_email_username": "Enter a valid email or username and/or password.",
    "app.user.save.username_exists.app_error": "An account with that username already exists.",
    "app.user.missing_account.const": "Unable to find the user.",
    "app.user.get_by_username.app_error": "Unable to find an existing account matching your username for this team. "
    "This team may require an invite from the team owner to join.",
    "app.channel.get_by_name.missing.app_error": "Channel does not exist.",
    "app.channel.get.existing.app_error": "Unable to find the existing channel.",
    "app.channel.get_member.missing.app_error": "No channel member found for that user ID and channel ID.",
    "app.team.get.find.app_error": "Unable to find the existing team.",
    "app.post.get.app_error": "Unable to get the post.",
    "app.file_info.get.app_error": "Unable to get the file info.",
    "app.emoji.get_by_name.no_result": "We couldn’t find the emoji.",
    "model.post.is_valid.msg.app_error": "Invalid message.",
    "api.post.create_post.root_id.app_error": "Invalid RootId parameter.",
    "api.reaction.save_reaction.user_id.app_error": "You cannot save reaction for the other user.",
    "api.post.do_action.action_id.app_error": "Invalid action id.",
    "api.post.do_action.action_integration.app_error": "Action integration error.",
    "interactive_message.decode_trigger_id.base64_decode_failed": "Failed to decode base64 for trigger ID.",
    "interactive_message.decode_trigger_id.expired": "Trigger ID for interactive dialog is expired.",
    "api.file.upload_file.too_large_detailed.app_error": "Unable to upload file. File is too large.",
}
EMOJI = {
    "+1", "-1", "thumbsup", "thumbsdown", "white_check_mark", "heavy_check_mark", "x", "no_entry", "no_entry_sign",
    "question", "grey_question", "information_source", "mag", "eyes", "hourglass", "hourglass_flowing_sand",
    "warning", "stop_sign", "rotating_light", "clock1", "repeat", "arrows_counterclockwise", "ok", "ok_hand", "wave",
    "tada", "smile", "rocket", "page_facing_up", "lock", "unlock", "bell", "mute", "zero", "one", "two", "three",
    "four", "five", "six", "seven", "eight", "nine", "keycap_ten", "a", "b", "o", "m", "v", "100", "1234", "robot",
    "red_circle", "large_blue_circle", "white_circle", "black_circle", "octagonal_sign", "double_vertical_bar",
    "arrow_forward",
}  # fmt: skip


class Refused(Exception):
    """The server's own refusal: an HTTP status and an error id."""

    def __init__(self, status: int, id_: str):
        super().__init__(id_)
        self.status, self.id = status, id_

    def body(self) -> dict:
        return {"id": self.id, "message": MESSAGES[self.id], "detailed_error": "", "request_id": new_id(),
                "status_code": self.status}  # fmt: skip


def denied() -> Refused:
    return Refused(403, "api.context.permissions.app_error")


def bad_body() -> Refused:
    return Refused(400, "api.context.invalid_body_param.app_error")


def new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(26))


class Clock:
    """The server's clock, which tests set wrong."""

    ahead_seconds = 0


CLOCK = Clock()


def now() -> int:
    """Milliseconds, as every time of the API."""
    return time.time_ns() // 1_000_000 + 1000 * CLOCK.ahead_seconds


def user(id_: str, name: str, email: str, *, roles: str = "system_user", first_name: str = "", at: int) -> dict:
    notify = {"channel": "true", "comments": "never", "desktop": "mention", "desktop_sound": "true",
              "desktop_threads": "all", "email": "true", "email_threads": "all", "first_name": "false",
              "mention_keys": "", "push": "mention", "push_status": "away", "push_threads": "all"}  # fmt: skip
    zone = {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"}
    return {"id": id_, "create_at": at, "update_at": at, "delete_at": 0, "username": name, "auth_data": "",
            "auth_service": "", "email": email, "nickname": "", "first_name": first_name, "last_name": "",
            "position": "", "roles": roles, "notify_props": notify, "last_password_update": at, "locale": "en",
            "timezone": zone, "remote_id": "", "disable_welcome_email": False}  # fmt: skip


def of_others(person: dict) -> dict:
    """What other people may see of an account."""
    return {key: value for key, value in person.items() if key not in {"notify_props", "last_password_update"}}


def as_bot(person: dict, description: str) -> dict:
    made = {key: value for key, value in person.items() if key != "remote_id"}
    made.pop("disable_welcome_email")
    return {**made, "is_bot": True, "bot_description": description, "disable_welcome_email": False}


def team(body: dict, email: str) -> dict:
    at = now()
    return {"id": new_id(), "create_at": at, "update_at": at, "delete_at": 0, "display_name": body["display_name"],
            "name": body["name"], "description": "", "email": email, "type": body.get("type", "O"),
            "company_name": "", "allowed_domains": "", "invite_id": new_id(), "allow_open_invite": False,
            "scheme_id": None, "group_constrained": None, "policy_id": None,
            "cloud_limits_archived": False}  # fmt: skip


def channel(type_: str, name: str, display: str, *, team_id: str = "", creator: str = "") -> dict:
    at = now()
    return {"id": new_id(), "create_at": at, "update_at": at, "delete_at": 0, "team_id": team_id, "type": type_,
            "display_name": display, "name": name, "header": "", "purpose": "", "last_post_at": 0,
            "total_msg_count": 0, "extra_update_at": 0, "creator_id": creator, "scheme_id": None, "props": None,
            "group_constrained": None, "shared": False if type_ == "D" else None, "total_msg_count_root": 0,
            "policy_id": None, "last_root_post_at": 0}  # fmt: skip


def team_member(team_id: str, user_id: str) -> dict:
    return {"team_id": team_id, "user_id": user_id, "roles": "team_user", "delete_at": 0, "scheme_guest": False,
            "scheme_user": True, "scheme_admin": False, "explicit_roles": ""}  # fmt: skip


def member(channel_id: str, user_id: str, *, admin: bool = False) -> dict:
    notify = {"channel_auto_follow_threads": "off", "desktop": "default", "email": "default",
              "ignore_channel_mentions": "default", "mark_unread": "all", "push": "default"}  # fmt: skip
    return {"channel_id": channel_id, "user_id": user_id, "roles": "channel_user channel_admin" if admin else
            "channel_user", "last_viewed_at": 0, "msg_count": 0, "mention_count": 0, "mention_count_root": 0,
            "urgent_mention_count": 0, "msg_count_root": 0, "notify_props": notify, "last_update_at": now(),
            "scheme_guest": False, "scheme_user": True, "scheme_admin": admin, "explicit_roles": ""}  # fmt: skip


def post(user_id: str, channel_id: str, message: str, *, root: str = "", type_: str = "", props: dict) -> dict:
    at = now()
    return {"id": new_id(), "create_at": at, "update_at": at, "edit_at": 0, "delete_at": 0, "is_pinned": False,
            "user_id": user_id, "channel_id": channel_id, "root_id": root, "original_id": "", "message": message,
            "type": type_, "props": props, "hashtags": "", "pending_post_id": "", "remote_id": "", "reply_count": 0,
            "last_reply_at": 0, "participants": None}  # fmt: skip


def reaction(user_id: str, post_id: str, name: str, channel_id: str) -> dict:
    at = now()
    return {"user_id": user_id, "post_id": post_id, "emoji_name": name, "create_at": at, "update_at": at,
            "delete_at": 0, "remote_id": "", "channel_id": channel_id}  # fmt: skip


def file_info(user_id: str, channel_id: str, name: str, size: int, mime: str) -> dict:
    at = now()
    return {"id": new_id(), "user_id": user_id, "channel_id": channel_id, "create_at": at, "update_at": at,
            "delete_at": 0, "name": name, "extension": name.rpartition(".")[2] if "." in name else "", "size": size,
            "mime_type": mime, "mini_preview": None, "remote_id": "", "archived": False}  # fmt: skip


def attachment(given: dict) -> dict:
    """One message attachment; fields that nobody gave are empty."""
    empty = {"id": 0, "fallback": "", "color": "", "pretext": "", "author_name": "", "author_link": "",
             "author_icon": "", "title": "", "title_link": "", "text": "", "fields": None, "image_url": "",
             "thumb_url": "", "footer": "", "footer_icon": "", "ts": None}  # fmt: skip
    known = {key: value for key, value in given.items() if key in empty}
    actions = [{**one, "id": one.get("id") or new_id()} for one in given.get("actions") or ()]
    return {**empty, **known, **({"actions": actions} if actions else {})}


def seen(attachments: list[dict]) -> list[dict]:
    """Attachments as clients get them: without where a click goes."""
    return [
        {**one, **({"actions": [_visible(action) for action in one["actions"]]} if "actions" in one else {})}
        for one in attachments
    ]


def _visible(action: dict) -> dict:
    return {key: value for key, value in action.items() if key != "integration"}


def trigger_id(client: str, user_id: str) -> str:
    signature = base64.b64encode(secrets.token_bytes(70)).decode()
    return base64.b64encode(f"{client}:{user_id}:{now()}:{signature}".encode()).decode()
