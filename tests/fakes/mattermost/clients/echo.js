// A bot on Mattermost's own JavaScript client: answers "echo …" in a thread, edits its answer, reacts, sends a file.
"use strict";
const [modules, url, token] = process.argv.slice(2);
const {createRequire} = require("module");
const load = createRequire(modules + "/");
globalThis.WebSocket = load("ws");
globalThis.CloseEvent = globalThis.CloseEvent || class extends Event {};
const {Client4, WebSocketClient} = load("@mattermost/client");

async function answer(client, me, post) {
    const said = await client.createPost({channel_id: post.channel_id, message: "…", root_id: post.root_id || post.id});
    await client.patchPost({id: said.id, message: post.message.replace("echo ", "")});
    await client.addReaction(me.id, post.id, "white_check_mark");
    const form = new FormData();
    form.append("channel_id", post.channel_id);
    form.append("files", new Blob(["from JavaScript"], {type: "text/plain"}), "js.txt");
    const sent = await client.uploadFile(form);
    await client.createPost({channel_id: post.channel_id, message: "a file", file_ids: [sent.file_infos[0].id]});
}

async function main() {
    const client = new Client4();
    client.setUrl(url);
    client.setToken(token);
    const me = await client.getMe();
    try {
        await client.getPost("nosuchpost");
    } catch (error) {
        process.stderr.write(`refused ${error.status_code} ${error.server_error_id}\n`);
    }
    const socket = new WebSocketClient();
    socket.addMessageListener((message) => {
        if (message.event !== "posted") {
            return;
        }
        const post = JSON.parse(message.data.post);
        if (post.message.startsWith("echo ") && post.user_id !== me.id) {
            answer(client, me, post).catch((error) => process.stderr.write(`${error.stack}\n`));
        }
    });
    socket.addFirstConnectListener(() => process.stderr.write("connected\n"));
    socket.initialize(`${url.replace("http", "ws")}/api/v4/websocket`, token);
}

main();
