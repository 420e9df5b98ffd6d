// Checks an echo server with ws, Node's WebSocket library: `websocket_client.cjs URL`. Prints one line of JSON for each
// check: its name and its problems.

const assert = require("node:assert/strict");
const {once} = require("node:events");
const WebSocket = require("ws");

const url = process.argv[2];

async function open(options) {
  const socket = new WebSocket(url, options);
  await once(socket, "open");
  return socket;
}

async function echo(socket, data, isBinary) {
  socket.send(data, {binary: isBinary});
  const [answer, answerIsBinary] = await once(socket, "message");
  assert.equal(answerIsBinary, isBinary);
  assert.ok(answer.equals(Buffer.from(data)), `the answer has ${answer.length} bytes, not ${data.length}`);
}

async function close(socket, ...how) {
  socket.close(...how);
  const [code, reason] = await once(socket, "close");
  return [code, reason.toString()];
}

async function sizes(perMessageDeflate) {
  const socket = await open({perMessageDeflate});
  assert.equal(socket.extensions, perMessageDeflate ? "permessage-deflate" : "");
  for (const size of [0, 1, 125, 126, 65535, 65536, 1000000]) {
    await echo(socket, "x".repeat(size), false);
    await echo(socket, Buffer.alloc(size, 0xff), true);
  }
  await echo(socket, "Grüße 😀", false);
  await echo(socket, Buffer.alloc(16 * 1024 * 1024, "sixteen"), true);
  assert.equal((await close(socket, 1000))[0], 1000);
}

async function fragments(perMessageDeflate) {
  const socket = await open({perMessageDeflate});
  socket.send("frag", {fin: false});
  socket.ping("now");
  socket.send("", {fin: false});
  socket.send("ments", {fin: true});
  const pong = once(socket, "pong");
  const [answer] = await once(socket, "message");
  assert.equal(answer.toString(), "fragments");
  assert.equal((await pong)[0].toString(), "now");
  await close(socket);
}

// Each option of the extension, alone and together.
async function parameters() {
  for (const options of [
    {serverNoContextTakeover: true},
    {clientNoContextTakeover: true},
    {serverMaxWindowBits: 9},
    {clientMaxWindowBits: 9},
    {serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 11},
  ]) {
    const socket = await open({perMessageDeflate: {...options, threshold: 0}});
    for (let i = 0; i < 20; ++i) await echo(socket, `message ${i} of ${JSON.stringify(options)} `.repeat(100), false);
    await close(socket);
  }
}

async function codes() {
  for (const code of [1000, 1001, 3000, 4999]) {
    const seen = await close(await open(), code, "a reason");
    assert.deepEqual(seen, [code, ""]);
  }
  assert.deepEqual(await close(await open()), [1005, ""]);
}

async function limit() {
  const socket = await open({perMessageDeflate: false});
  socket.on("error", () => {});  // the server closes while the message is sent
  socket.send(Buffer.alloc(20 * 1024 * 1024 + 1));
  const [code, reason] = await once(socket, "close");
  assert.deepEqual([code, reason.toString()], [1009, "message too big"]);
}

async function main() {
  for (const [name, check] of [
    ["messages of all sizes", () => sizes(false)],
    ["messages of all sizes, compressed", () => sizes(true)],
    ["fragments, and a ping between them", () => fragments(false)],
    ["fragments, compressed", () => fragments(true)],
    ["each parameter of permessage-deflate", parameters],
    ["the server answers with the client's close code", codes],
    ["the server closes with 1009", limit],
  ]) {
    const problems = [];
    try {
      await check();
    } catch (error) {
      problems.push(error.stack);
    }
    console.log(JSON.stringify({name, problems}));
  }
}

main();
