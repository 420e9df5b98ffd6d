"use strict";

const find = id => document.getElementById(id);
const list = find("messages");
let cursor = list.lastElementChild ? list.lastElementChild.id.slice(1) : "";

const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

async function post(path, fields) {
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1];
  const response = await fetch(path, {method: "POST", body: new URLSearchParams({...fields, _xsrf: xsrf})});
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.json();
}

// The server's HTML has the time in UTC, and does not know who reads it.
function dress(item) {
  const time = item.querySelector("time");
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  item.classList.toggle("mine", item.dataset.name === find("name").value);
}

// A message of this page arrives twice: as the answer, and as an update.
function show(message) {
  if (find("m" + message.id)) return;
  const isAtEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 40;
  list.insertAdjacentHTML("beforeend", message.html);
  dress(list.lastElementChild);
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function showState(text) {
  find("state").textContent = text;
  find("state").className = text;
}

async function poll() {
  for (let delay = 500;;) {
    try {
      const {messages} = await post("/a/message/updates", {cursor});
      messages.forEach(show);
      if (messages.length === 0) throw new Error("the server closes");
      cursor = messages.at(-1).id;
      delay = 500;
      showState("live");
    } catch {
      showState("reconnecting");
      await pause(delay);
      delay = Math.min(delay * 2, 30000);
    }
  }
}

// The same over a WebSocket.
let socket = null;
let delay = 500;

function connect() {
  const opened = new WebSocket(new URL("/chatsocket?after=" + cursor, location.href.replace(/^http/, "ws")));
  opened.onopen = () => {
    socket = opened;
    delay = 500;
    showState("live");
  };
  opened.onmessage = event => {
    const message = JSON.parse(event.data);
    if (message.problem) return showProblem(message.problem);
    show(message);
    cursor = message.id;
  };
  opened.onclose = () => {
    socket = null;
    showState("reconnecting");
    setTimeout(connect, delay);
    delay = Math.min(delay * 2, 30000);
  };
}

function showProblem(text) {
  find("problem").textContent = text && `The message was not sent: ${text}`;
  find("problem").hidden = !text;
}

async function send(message) {
  if (document.body.dataset.transport !== "websocket") return show(await post("/a/message/new", message));
  if (!socket) throw new Error("there is no connection");
  socket.send(JSON.stringify(message));
}

find("form").addEventListener("submit", async event => {
  event.preventDefault();
  const body = find("body");
  const text = body.value;
  body.value = "";
  try {
    showProblem("");
    await send({name: find("name").value, body: text});
  } catch (error) {
    body.value = text;
    showProblem(error.message);
  }
  body.focus();
});

find("name").value = localStorage.getItem("name") || "Guest " + Math.ceil(Math.random() * 999);
find("name").addEventListener("change", () => {
  localStorage.setItem("name", find("name").value);
  [...list.children].forEach(dress);
});

[...list.children].forEach(dress);
list.scrollTop = list.scrollHeight;
find("body").focus();
if (document.body.dataset.transport === "websocket") {
  connect();
} else {
  showState("live");
  poll();
}
