"use strict";

const find = id => document.getElementById(id);
const rules = {
  keep_latest: "only the newest price waits, all before it are dropped",
  drop_oldest: "the prices that have waited longest make room",
  drop_newest: "what waits stays, newer prices are dropped",
  close: "the connection is closed with 1013, and the viewer comes back",
};
const whole = number => Math.round(number).toLocaleString("en");
const size = bytes => bytes < 1024 ? `${bytes} B` : `${whole(bytes / 1024)} KiB`;

function fill(template, list) {
  list.append(find(template).content.cloneNode(true));
  return list.lastElementChild;
}

// Connects, and connects again: the longer it fails, the longer it waits, for a random part of that time.
function connect(path, {opened = () => {}, got}) {
  let delay = 500;
  let socket;
  const open = () => {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
    socket.onopen = () => { delay = 500; opened(); };
    socket.onmessage = ({data}) => got(JSON.parse(data));
    socket.onclose = () => {
      find("state").className = find("state").textContent = "reconnecting";
      setTimeout(open, delay * (0.5 + Math.random()));
      delay = Math.min(delay * 2, 30000);
    };
  };
  open();
  return message => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
}

// ---- Prices.

const prices = new Map();

function draw(canvas, values, colour) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const pen = canvas.getContext("2d");
  pen.scale(devicePixelRatio, devicePixelRatio);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  pen.strokeStyle = colour;
  pen.lineWidth = 1.75;
  pen.lineJoin = "round";
  pen.beginPath();
  values.forEach((value, index) => pen.lineTo(
    width - (values.length - 1 - index) * width / 59, 2 + (height - 4) * (high > low ? (high - value) / (high - low) : 0.5)));
  pen.stroke();
}

function show({symbol, price, open}) {
  if (!prices.has(symbol)) prices.set(symbol, {item: fill("price", find("prices")), values: []});
  const {item, values} = prices.get(symbol);
  values.push(price);
  if (values.length > 60) values.shift();
  const change = 100 * (price - open) / open;
  item.className = `price ${change < 0 ? "down" : "up"}`;
  item.querySelector("b").textContent = symbol;
  item.querySelector(".now").textContent = price.toFixed(2);
  item.querySelector(".change").textContent = `${change < 0 ? "▼" : "▲"} ${Math.abs(change).toFixed(2)} %`;
  draw(item.querySelector("canvas"), values, getComputedStyle(item.querySelector(".change")).color);
}

connect("/prices?policy=keep_latest", {
  opened: () => { find("state").className = find("state").textContent = "live"; },
  got: show,
});

// ---- Viewers.

const viewers = [];

function showViewer({policy, received, behind, dropped, waiting, closed, pause}, index) {
  let item = viewers[index];
  if (!item) {
    item = viewers[index] = fill("viewer", find("viewers"));
    item.querySelector(".name").textContent = `Viewer ${index + 1}`;
    item.querySelector(".policy").textContent = policy;
    item.querySelector(".rule").textContent = rules[policy];
    const slider = item.querySelector("input");
    slider.value = pause;
    slider.addEventListener("input", () => {
      item.querySelector("output").textContent = `${slider.value} ms`;
      control({viewer: index, pause: Number(slider.value)});
    });
  }
  const slider = item.querySelector("input");
  if (document.activeElement !== slider) slider.value = pause;
  item.querySelector("output").textContent = `${slider.value} ms`;
  item.querySelector(".bar").style.transform = `scaleX(${Math.min(1, behind / 1000)})`;
  item.querySelector(".behind").textContent = whole(behind);
  item.querySelector(".received").textContent = whole(received);
  item.querySelector(".dropped").textContent = whole(dropped);
  item.querySelector(".waiting").textContent = size(waiting);
  item.querySelector(".closed").textContent = whole(closed);
}

const control = connect("/control", {
  got: ({rate, viewers}) => {
    find("rate").textContent = whole(rate);
    viewers.forEach(showViewer);
  },
});
