// Rocket.Chat's own realtime client against a server: node vendor.js URL USER PASSWORD ROOM; one JSON line a step.
globalThis.WebSocket = require('ws');
const { createHash } = require('node:crypto');
const { DDPSDK } = require('@rocket.chat/ddp-client');

const [url, user, password, room] = process.argv.slice(2);
const say = (step, value) => console.log(JSON.stringify({ step, value }));
const waits = [];
const next = (match) => new Promise((resolve) => waits.push({ match, resolve }));
const heard = (message, about) => {
  const found = waits.findIndex((wait) => wait.match(message));
  if (found >= 0) waits.splice(found, 1)[0].resolve({ message, about });
};
const refused = (promise) => promise.then(() => 'accepted', (error) => error.error ?? error);

(async () => {
  const sdk = await DDPSDK.createAndConnect(url);
  const digest = createHash('sha256').update(password).digest('hex');
  say('wrong password', await refused(sdk.client.callAsync('login', { user: { username: user }, password: { digest: 'x', algorithm: 'sha-256' } })));
  await sdk.account.loginWithPassword(user, digest);
  say('logged in', { uid: sdk.account.uid, token: Boolean(sdk.account.user.token) });
  await sdk.stream('room-messages', '__my_messages__', heard).ready();
  say('not mine', await refused(sdk.stream('notify-user', 'somebody-else/rooms-changed', () => {}).ready()));
  await sdk.stream('notify-user', `${sdk.account.uid}/rooms-changed`, () => {}).ready();
  const coming = next((message) => message.msg === 'from the vendor');
  const sent = (await sdk.rest.post('/v1/chat.sendMessage', { message: { rid: room, msg: 'from the vendor' } })).message;
  const { message, about } = await coming;
  say('heard', { same: message._id === sent._id, date: typeof message.ts.$date, about });
  const edited = next((message) => message.editedAt);
  await sdk.rest.post('/v1/chat.update', { roomId: room, msgId: sent._id, text: 'edited' });
  say('edited', (await edited).message.msg);
  const reacted = next((message) => message.reactions);
  await sdk.rest.post('/v1/chat.react', { messageId: sent._id, emoji: 'thumbsup' });
  say('reacted', (await reacted).message.reactions);
  say('bad emoji', await sdk.rest.post('/v1/chat.react', { messageId: sent._id, emoji: 'no-such' }).then(() => 0, (r) => r.errorType ?? r.status));
  const inThread = next((message) => message.tmid === sent._id);
  await sdk.call('sendMessage', { rid: room, msg: 'in the thread', tmid: sent._id });
  say('thread', (await inThread).message.msg);
  await sdk.rest.post('/v1/chat.delete', { roomId: room, msgId: sent._id });
  say('gone', await sdk.rest.get('/v1/chat.getMessage', { msgId: sent._id }).then(() => 0, (r) => r.status ?? 400));
  const again = await DDPSDK.createAndConnect(url);
  await again.account.loginWithToken(sdk.account.user.token);
  say('resumed', again.account.uid === sdk.account.uid);
  say('bad token', await refused(again.client.callAsync('login', { resume: 'no such token' })));
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
