"use strict";

const find = id => document.getElementById(id);
const list = find("messages");
let socket;
let delay = 500;

// The server's HTML has the time in UTC, and does not know who reads it.
function dress(item) {
  const time = item.querySelector("time");
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  item.classList.toggle("mine", item.dataset.name === find("name").value);
}

// The first messages behind a new connection may be in the page already.
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

function showProblem(text) {
  find("problem").textContent = text;
  find("problem").hidden = !text;
}

function receive(news) {
  if ("html" in news) show(news);
  if ("people" in news) find("people").textContent = news.people === 1 ? "you are alone" : `${news.people} people`;
  if ("problem" in news) showProblem(news.problem);
}

function connect() {
  const last = list.lastElementChild ? list.lastElementChild.id.slice(1) : "";
  const url = new URL("/chatsocket?after=" + last, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.addEventListener("message", event => receive(JSON.parse(event.data)));
  socket.addEventListener("open", () => {
    delay = 500;
    showState("live");
  });
  // Clients of a server that restarts do not come back all at once.
  socket.addEventListener("close", () => {
    showState("reconnecting");
    find("people").textContent = "";
    setTimeout(connect, delay * (0.5 + Math.random()));
    delay = Math.min(delay * 2, 30000);
  });
}

find("form").addEventListener("submit", event => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return showProblem("There is no connection at the moment.");
  socket.send(JSON.stringify({name: find("name").value, body: find("body").value}));
  showProblem("");
  find("body").value = "";
  find("body").focus();
});

find("name").value = localStorage.getItem("name") || "Guest " + Math.ceil(Math.random() * 999);
find("name").addEventListener("change", () => {
  localStorage.setItem("name", find("name").value);
  [...list.children].forEach(dress);
});

[...list.children].forEach(dress);
list.scrollTop = list.scrollHeight;
find("body").focus();
connect();
