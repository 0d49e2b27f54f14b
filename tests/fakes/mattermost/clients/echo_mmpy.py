"""A bot on mmpy-bot: answers "echo …" in a thread, reacts, sends a file. Runs in an environment of its own."""

import sys
import tempfile
from pathlib import Path

from mmpy_bot import Bot, Message, Plugin, Settings, listen_to


class Echo(Plugin):
    @listen_to("^echo (.*)$")
    async def echo(self, message: Message, text: str):
        self.driver.reply_to(message, text)
        self.driver.react_to(message, "white_check_mark")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mmpy.txt"
            path.write_text("from mmpy-bot")
            self.driver.reply_to(message, "a file", file_paths=[path])

    def on_start(self):
        sys.stderr.write("connected\n")


def main():
    host, port, token = sys.argv[1:]
    settings = Settings(
        MATTERMOST_URL=f"http://{host}", MATTERMOST_PORT=int(port), BOT_TOKEN=token, BOT_TEAM="lab", SSL_VERIFY=False
    )
    Bot(settings=settings, plugins=[Echo()], enable_logging=False).run()


if __name__ == "__main__":
    main()
