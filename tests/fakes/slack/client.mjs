// Slack's own JavaScript clients against the test server: says on standard output, a JSON object a line, what they see.
// Usage: node client.mjs <api url> <bot token> <app token> <channel>; expects "ping", a click and a slash command.
import {createRequire} from "node:module";
const require = createRequire(process.env.SLACK_CLIENTS + "/");
const {WebClient, ErrorCode} = require("@slack/web-api");
const {SocketModeClient} = require("@slack/socket-mode");

const [url, botToken, appToken, channel] = process.argv.slice(2);
const tell = (what, value) => console.log(JSON.stringify({what, value}));
const web = new WebClient(botToken, {slackApiUrl: url, logLevel: "error", retryConfig: {retries: 2, minTimeout: 10}});
const socket = new SocketModeClient({
  appToken, clientPingTimeout: 500, logLevel: "error", clientOptions: {slackApiUrl: url, retryConfig: {retries: 2, minTimeout: 10}},
});

async function refused(call) {
  try {
    await call();
    return "accepted";
  } catch (error) {
    return error.code === ErrorCode.PlatformError ? error.data.error : String(error.code);
  }
}

socket.on("message", async ({event, ack, retry_num}) => {
  tell("message", {text: event.text, subtype: event.subtype ?? "", again: retry_num, own: Boolean(event.bot_id)});
  if (event.text !== "keep quiet" || retry_num) await ack();
});
socket.on("reaction_added", async ({event, ack}) => { await ack(); tell("reaction", event.reaction); });
socket.on("interactive", async ({body, ack}) => {
  if (body.type === "view_submission") {
    const value = Object.values(body.view.state.values.word)[0].value;
    await ack(value === "bad" ? {response_action: "errors", errors: {word: "not that"}} : {});
  } else {
    await ack();
  }
  tell(body.type, body.actions?.[0]?.value ?? body.view?.callback_id);
});
socket.on("slash_commands", async ({body, ack}) => {
  await ack({text: "heard"});
  const view = {
    type: "modal", callback_id: "form", title: {type: "plain_text", text: "Form"}, submit: {type: "plain_text", text: "Go"},
    blocks: [{type: "input", block_id: "word", label: {type: "plain_text", text: "Word"}, element: {type: "plain_text_input", action_id: "a"}}],
  };
  const opened = await web.views.open({trigger_id: body.trigger_id, view});
  tell("view", opened.view.id);
});
let connections = 0;
socket.on("connected", () => tell("connected", ++connections));

const me = await web.auth.test();
tell("auth", me.user_id);
await socket.start();
const said = await web.chat.postMessage({channel, text: "hello & <all>", blocks: [
  {type: "section", text: {type: "plain_text", text: "hello"}},
  {type: "actions", elements: [{type: "button", text: {type: "plain_text", text: "yes"}, value: "yes", action_id: "y"}]},
]});
await web.chat.update({channel, ts: said.ts, text: "hello again"});
await web.reactions.add({channel, timestamp: said.ts, name: "eyes"});
const asked = await web.chat.postMessage({channel, text: "well?", blocks: [
  {type: "actions", elements: [{type: "button", text: {type: "plain_text", text: "yes"}, value: "yes", action_id: "y"}]},
]});
const uploaded = await web.filesUploadV2({channel_id: channel, filename: "a.txt", content: "some text", thread_ts: said.ts});
tell("uploaded", uploaded.ok);
const pages = [];
for await (const page of web.paginate("conversations.history", {channel, limit: 1})) pages.push(page.messages.length);
tell("pages", pages.length);
tell("refusals", {
  "no such channel": await refused(() => web.chat.postMessage({channel: "C404", text: "x"})),
  "unknown field": await refused(() => web.chat.postMessage({channel, text: "x", blocks: [{type: "divider", colour: "red"}]})),
  "unknown block": await refused(() => web.chat.postMessage({channel, text: "x", blocks: [{type: "carousel"}]})),
  "no text": await refused(() => web.chat.postMessage({channel, text: ""})),
  "twice": await refused(() => web.reactions.add({channel, timestamp: said.ts, name: "eyes"})),
  "no emoji": await refused(() => web.reactions.add({channel, timestamp: said.ts, name: "no such"})),
  "too long": await refused(() => web.chat.update({channel, ts: said.ts, text: "x".repeat(4001)})),
  "wrong token": await refused(() => new WebClient("xoxb-wrong", {slackApiUrl: url, logLevel: "error"}).auth.test()),
  "unknown method": await refused(() => web.apiCall("chat.shout", {})),
});
tell("ready", asked.ts);
process.stdin.on("data", async () => { await socket.disconnect(); process.exit(0); });
