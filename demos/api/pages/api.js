"use strict";

const find = id => document.getElementById(id);

// An element with properties and children; texts are never read as HTML.
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

async function call(method, path, fields) {
  const options = {method};
  if (fields) Object.assign(options, {headers: {"Content-Type": "application/json"}, body: JSON.stringify(fields)});
  const response = await fetch(path, options);
  const text = await response.text();
  const body = text ? JSON.parse(text) : null;
  const lines = [`${method} ${path}`, `${response.status} ${response.statusText}`];
  for (const name of ["Location", "RateLimit", "X-Request-Id"]) {
    if (response.headers.has(name)) lines.push(`${name}: ${response.headers.get(name)}`);
  }
  if (body) lines.push("", JSON.stringify(body, null, 2));
  return {ok: response.ok, body, text: lines.join("\n")};
}

// Changes something, and shows the answer and the notes.
async function change(method, path, fields) {
  const answer = await call(method, path, fields);
  find("answer").textContent = answer.text;
  if (answer.ok) {
    const notes = await showNotes();
    if (!notes.ok) find("answer").textContent = notes.text;
  }
  return answer;
}

function noteItem(note) {
  const path = `/notes/${note.id}`;
  const pin = make("button", {textContent: note.pinned ? "Unpin" : "Pin", className: "quiet"});
  pin.onclick = () => change("PATCH", path, {pinned: !note.pinned});
  const remove = make("button", {textContent: "Delete", className: "quiet"});
  remove.onclick = () => change("DELETE", path);
  const tags = note.tags.map(tag => make("span", {className: "tag", textContent: tag}));
  const about = make("div", {}, make("strong", {textContent: note.title}), make("p", {textContent: note.text}), make("div", {}, ...tags));
  return make("li", {className: note.pinned ? "pinned" : "", id: `note${note.id}`}, about, make("div", {className: "actions"}, pin, remove));
}

// All notes, page by page. Returns the first answer, or the one that was an error.
async function showNotes() {
  const notes = [];
  let first = null;
  for (let next = "/notes?limit=100"; next;) {
    const answer = await call("GET", next);
    first ??= answer;
    if (!answer.ok) return answer;
    notes.push(...answer.body.notes);
    next = answer.body.next && `/notes?limit=100&after=${answer.body.next}`;
  }
  notes.sort((a, b) => b.pinned - a.pinned || b.id - a.id);
  find("notes").replaceChildren(...notes.map(noteItem));
  return first;
}

function showErrors(errors) {
  for (const place of document.querySelectorAll("[data-field]")) {
    // An error of tags[1] stands below the field tags.
    const own = errors.filter(error => error.field.split("[")[0] === place.dataset.field);
    place.textContent = own.map(error => `${error.field} ${error.message}`).join("; ");
    place.previousElementSibling.setAttribute("aria-invalid", own.length > 0);
  }
}

find("form").addEventListener("submit", async event => {
  event.preventDefault();
  const data = new FormData(event.target);
  const tags = data.get("tags").split(",").map(tag => tag.trim()).filter(Boolean);
  const answer = await change("POST", "/notes", {title: data.get("title"), text: data.get("text"), tags});
  showErrors(answer.ok ? [] : answer.body.errors ?? []);
  if (answer.ok) event.target.reset();
});

async function showReference() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`${answer.status} for /openapi.json`);
  const description = await answer.json();
  find("about").textContent = description.info.description;
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      if (!item[method]) continue;
      find("operations").append(make("li", {},
        make("span", {className: `method ${method}`, textContent: method.toUpperCase()}),
        make("code", {textContent: path}),
        make("span", {className: "summary", textContent: item[method].summary})));
    }
  }
}

find("command").textContent = [
  `curl ${location.origin}/notes?tag=help`,
  "",
  "curl --json '{\"title\": \"Call home\"}' \\",
  `  ${location.origin}/notes`,
].join("\n");
// A server that does not answer.
addEventListener("unhandledrejection", event => { find("answer").textContent = String(event.reason); });
showReference();
showNotes().then(answer => { find("answer").textContent = answer.text; });
