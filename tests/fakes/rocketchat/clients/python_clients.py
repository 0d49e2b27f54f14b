"""Two Python clients against a server: python_clients.py URL USER PASSWORD ROOM; one JSON line a step."""

import asyncio
import json
import sys

from rocketchat_API.rocketchat import RocketChat as Rest
from rocketchat_async import RocketChat as Realtime

url, user, password, room = sys.argv[1:5]


def say(step, value):
    sys.stdout.write(json.dumps({"step": step, "value": value}) + "\n")


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - each client has errors of its own
        return type(error).__name__
    return "accepted"


async def realtime(token):
    heard = asyncio.Queue()
    bot = Realtime()
    await bot.start(url.replace("http", "ws") + "/websocket", user, password)
    await bot.subscribe_to_channel_messages_raw("__my_messages__", heard.put_nowait)
    await bot.send_message("over the websocket", room)
    message = await asyncio.wait_for(heard.get(), 10)
    say("realtime heard", message["msg"])
    await bot.send_reaction(message["_id"], ":eyes:")
    say("realtime reaction", (await asyncio.wait_for(heard.get(), 10))["reactions"])
    say("realtime rooms", [rid for rid, _ in await bot.get_channels()] == [room])
    again = Realtime()
    await again.resume(url.replace("http", "ws") + "/websocket", user, token)
    say("realtime resumed", again.user_id == bot.user_id)


say("wrong password", refused(Rest, user, "wrong", server_url=url))
rest = Rest(user, password, server_url=url)
say("me", rest.me()["username"])
sent = rest.chat_post_message("from Python", room_id=room)["message"]
say("posted", sent["msg"])
say("edited", rest.chat_update(room, sent["_id"], "edited")["message"]["msg"])
rest.chat_react(sent["_id"], "white_check_mark")
say("reactions", rest.chat_get_message(sent["_id"])["message"]["reactions"])
say("bad emoji", refused(rest.chat_react, sent["_id"], "no-such-emoji"))
media = rest.rooms_media(room, ("a.txt", b"lines\n", "text/plain"))["file"]
say("file", rest.rooms_media_confirm(room, media["_id"])["message"]["file"]["name"])
say("history", [message["msg"] for message in rest.channels_history(room, count=10)])
say("room", rest.channels_info(room_id=room)["channel"]["name"])
say("user", rest.users_info(username=user)["user"]["username"])
say("too long", refused(rest.chat_post_message, "x" * 5001, room_id=room))
rest.chat_delete(room, sent["_id"])
say("gone", refused(rest.chat_get_message, sent["_id"]))
asyncio.run(realtime(rest.headers["X-Auth-Token"]))
