// Drives the pages of the demos in Chromium: `browser.mjs SETTINGS`. See browser_test.py, which calls it.
//
// SETTINGS is JSON: `npm` (the folder that has playwright-core), `chromium` (the program), `pictures` (the folder
// for screenshots), `demos` (the URL of each). Prints one line of JSON for each check: its name and its problems; or
// why the browser cannot start: `skip`.

import assert from "node:assert/strict";
import {createRequire} from "node:module";

const settings = JSON.parse(process.argv[2]);

async function launch() {
  try {
    const {chromium} = createRequire(`${settings.npm}/`)("playwright-core");
    // No name is resolved, so no page and no part of the browser reaches another machine.
    return await chromium.launch({
      executablePath: settings.chromium,
      timeout: 90000,
      args: ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
    });
  } catch (error) {
    console.log(JSON.stringify({skip: `the browser does not start: ${error.message.split("\n")[0]}`}));
    process.exit(0);
  }
}

const browser = await launch();

let opened = [];  // the pages of the present check

// A page of a user with cookies of their own. `faults` gets what the browser complains of, except for the
// complaints that match `expected`.
async function open(url, {scheme = "light", width = 900, height = 700, expected = /^$/, ...more} = {}) {
  const context = await browser.newContext({colorScheme: scheme, viewport: {width, height}, ...more});
  context.setDefaultTimeout(60000);
  const page = await context.newPage();
  page.faults = [];
  opened.push(page);
  const complain = text => expected.test(text) || page.faults.push(text);
  page.on("console", message => ["error", "warning"].includes(message.type()) && complain(`${message.text()} (${message.location().url})`));
  page.on("pageerror", error => complain(`exception: ${error.stack}`));
  page.on("requestfailed", request => complain(`failed: ${request.url()} ${request.failure().errorText}`));
  page.on("response", response => response.status() >= 400 && complain(`${response.status()} for ${response.url()}`));
  await page.goto(url);
  return page;
}

// The relative luminance of a colour, and the contrast of two (WCAG 2.2).
function luminance(colour) {
  const parts = colour.match(/[\d.]+/g).slice(0, 3).map(part => part / 255);
  const [r, g, b] = parts.map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

// The page has the colours of the scheme and can be read, fits the window, and nothing has failed.
async function looksRight(page, scheme, picture) {
  await page.screenshot({path: `${settings.pictures}/${picture}_${scheme}.png`, animations: "disabled"});
  const [paper, ink, overflow] = await page.evaluate(() => {
    const style = getComputedStyle(document.body);
    return [style.backgroundColor, style.color, document.documentElement.scrollWidth - innerWidth];
  });
  assert.equal(luminance(paper) < 0.2 ? "dark" : "light", scheme, `the background is ${paper}`);
  assert.ok(contrast(paper, ink) > 7, `${ink} on ${paper} is hard to read`);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than the window`);
  assert.deepEqual(page.faults, []);
}

async function helloworld(url) {
  const page = await open(url);
  assert.equal(await page.innerText("body"), "Hello, world");
}

async function clock(url) {
  for (const scheme of ["light", "dark"]) {
    // The script closes the stream of the poem at its last event, which may come before the end of the stream.
    const page = await open(url, {scheme, expected: /^failed: \S+\/poem net::ERR_ABORTED$/});
    await page.waitForFunction(() => /^\d\d:\d\d:\d\d$/.test(clock.textContent));
    const before = await page.innerText("#clock");
    await page.waitForFunction(before => clock.textContent !== before, before);
    if (scheme === "light") await page.waitForFunction(() => poem.textContent.endsWith("this is streamed. "));
    await looksRight(page, scheme, "sse_clock");
  }
}

async function say(page, text) {
  await page.fill("#body", text);
  await page.press("#body", "Enter");
}

async function chat(url) {
  const amber = await open(url);
  const jonas = await open(url, {scheme: "dark"});
  await amber.getByText("Nobody has said anything yet").waitFor();
  await amber.fill("#name", "Amber");
  await jonas.fill("#name", "Jonas");
  await say(amber, "Good morning! Has anybody tried the new release?");
  const arrived = jonas.locator(".message", {hasText: "Good morning!"});
  await arrived.waitFor();
  await say(jonas, "Yes. The notes are at https://www.example.com/releases <b>& more</b>");
  const answer = amber.locator(".message", {hasText: "& more"});
  await answer.waitFor();
  await jonas.locator(".message", {hasText: "& more"}).waitFor();
  assert.equal(await answer.locator("p").innerText(), "Yes. The notes are at https://www.example.com/releases <b>& more</b>");
  assert.equal(await answer.locator("a").getAttribute("href"), "https://www.example.com/releases");
  // Each message stands once in each page, on the side of its author.
  for (const page of [amber, jonas]) assert.equal(await page.locator(".message").count(), 2);
  assert.deepEqual(await amber.locator(".mine b").allInnerTexts(), ["Amber"]);
  assert.deepEqual(await jonas.locator(".mine b").allInnerTexts(), ["Jonas"]);
  assert.equal(await amber.inputValue("#body"), "");
  assert.equal(await amber.innerText("#state"), "live");
  await looksRight(amber, "light", "chat");
  await looksRight(jonas, "dark", "chat");
  // Who comes later sees the messages too, on a telephone.
  const mira = await open(url, {scheme: "dark", width: 360, height: 640});
  assert.equal(await mira.locator(".message").count(), 2);
  await looksRight(mira, "dark", "chat_narrow");
}

async function chatWithoutScript(url) {
  const watcher = await open(url);
  const page = await open(url, {javaScriptEnabled: false});
  await page.fill("#name", "Lynx");
  await page.fill("#body", "no script here");
  await page.click("button");
  await page.locator(".message", {hasText: "no script here"}).waitFor();
  await watcher.locator(".message", {hasText: "no script here"}).waitFor();
  assert.deepEqual([...page.faults, ...watcher.faults], []);
}

// The page that the header's link leads to has the messages of the other page, and sends its own there.
async function chatByWebSocket(url) {
  const polling = await open(url);
  await polling.fill("#name", "Pola");
  await say(polling, "From the page that polls.");
  // The page that is left ends its poll.
  const expected = /^failed: \S+\/a\/message\/updates net::ERR_ABORTED$/;
  const page = await open(url, {scheme: "dark", width: 360, height: 640, expected});
  await page.click("text=WebSocket");
  await page.waitForURL("**/websocket");
  await page.locator(".message", {hasText: "From the page that polls."}).waitFor();
  await page.waitForFunction(() => state.textContent === "live");
  await page.fill("#name", "Webb");
  await say(page, "From the WebSocket: <script>alert(1)</script>");
  for (const each of [polling, page]) {
    const shown = each.locator(".message", {hasText: "From the WebSocket"});
    await shown.waitFor();
    assert.equal(await shown.locator("p").innerText(), "From the WebSocket: <script>alert(1)</script>");
    assert.equal(await shown.count(), 1);
  }
  await looksRight(page, "dark", "chat_websocket");
}

async function webSocket(url) {
  const amber = await open(url);
  const jonas = await open(url, {scheme: "dark"});
  await amber.getByText("Nobody has said anything yet").waitFor();
  for (const page of [amber, jonas]) await page.getByText("2 people").waitFor();
  await amber.fill("#name", "Amber");
  await jonas.fill("#name", "Jonas");
  await say(amber, "Good morning! This went through a WebSocket.");
  await jonas.locator(".message", {hasText: "Good morning!"}).waitFor();
  await say(jonas, "And back. See https://www.example.com/frames <b>& more</b>");
  for (const page of [amber, jonas]) {
    const answer = page.locator(".message", {hasText: "& more"});
    await answer.waitFor();
    assert.equal(await answer.locator("p").innerText(), "And back. See https://www.example.com/frames <b>& more</b>");
    assert.equal(await page.locator(".message").count(), 2);
  }
  assert.deepEqual(await amber.locator(".mine b").allInnerTexts(), ["Amber"]);
  assert.equal(await amber.inputValue("#body"), "");
  assert.equal(await amber.innerText("#state"), "live");
  await looksRight(amber, "light", "websocket");
  await looksRight(jonas, "dark", "websocket");
  // Who comes later sees the messages too, on a telephone; who goes is counted no more.
  const mira = await open(url, {scheme: "dark", width: 360, height: 640});
  await amber.getByText("3 people").waitFor();
  assert.equal(await mira.locator(".message").count(), 2);
  await looksRight(mira, "dark", "websocket_narrow");
  await mira.close();
  await amber.getByText("2 people").waitFor();
  // A lost connection comes back by itself, with the messages that were missed.
  await amber.evaluate(() => socket.close());
  await say(jonas, "Did you miss this?");
  await amber.locator(".message", {hasText: "Did you miss this?"}).waitFor();
  await amber.getByText("2 people").waitFor();
  assert.equal(await amber.locator(".message").count(), 3);
  assert.deepEqual([...amber.faults, ...jonas.faults], []);
}

async function api(url) {
  // The browser logs each refused request.
  const page = await open(url, {height: 1100, expected: /422 /});
  const description = await (await fetch(`${url}openapi.json`)).json();
  const methods = ["get", "post", "put", "patch", "delete"];
  const operations = Object.values(description.paths).flatMap(item => methods.filter(method => item[method]));
  await page.locator("#operations li").nth(operations.length - 1).waitFor();
  assert.equal(await page.locator("#operations li").count(), operations.length);

  await page.fill("[name=tags]", "fine, much-too-long-for-a-tag");
  await page.click("text=Add note");
  await page.getByText("title must have 1 to 100 characters").waitFor();
  await page.getByText("tags[1] must have 1 to 20 characters").waitFor();
  assert.match(await page.innerText("#answer"), /^POST \/notes\n422 /);
  await page.screenshot({path: `${settings.pictures}/api_refused_light.png`});

  await page.fill("[name=title]", "Ship <b>release</b> 0.1");
  await page.fill("[name=tags]", "work");
  await page.click("text=Add note");
  const note = page.locator("#notes li", {hasText: "Ship <b>release</b> 0.1"});
  await note.waitFor();
  assert.match(await page.innerText("#answer"), /^POST \/notes\n201 Created\nLocation: \/notes\/\d+\n/);
  assert.equal(await page.inputValue("[name=title]"), "");
  await note.getByText("Pin").click();
  await note.getByText("Unpin").waitFor();
  assert.equal(await page.locator("#notes li.pinned").first().getByText("Ship").count(), 1);
  await looksRight(page, "light", "api");
  await note.getByText("Delete").click();
  await note.waitFor({state: "detached"});

  for (const [width, picture] of [[1100, "api"], [360, "api_narrow"]]) {
    const dark = await open(url, {scheme: "dark", width, height: 1100});
    await dark.locator("#operations li").nth(operations.length - 1).waitFor();
    await dark.getByText("Buy apples", {exact: true}).waitFor();
    await looksRight(dark, "dark", picture);
  }
}

async function c10k(url) {
  for (const [scheme, width] of [["light", 1150], ["dark", 1150], ["dark", 360]]) {
    const page = await open(url, {scheme, width, height: 900});
    await page.waitForFunction(() => document.getElementById("open").textContent === "500");
    await page.waitForFunction(() => /^[1-9].* \/s$/.test(document.getElementById("messages_now").textContent));
    await page.waitForFunction(() => /ms · .* ms$/.test(document.getElementById("latency_now").textContent));
    // Something is drawn above the lowest line.
    await page.waitForFunction(() => ["connections", "messages", "latency", "bytes"].every(id => {
      const canvas = document.getElementById(id);
      const {data} = canvas.getContext("2d").getImageData(0, 20, canvas.width, canvas.height - 40);
      return data.some(value => value !== 0);
    }));
    assert.equal(await page.innerText("#state"), "live");
    assert.equal(await page.innerText("#lost"), "0");
    await looksRight(page, scheme, width > 400 ? "c10k" : "c10k_narrow");
  }
}

async function ticker(url) {
  for (const [scheme, width] of [["light", 1150], ["dark", 1150], ["dark", 360]]) {
    const page = await open(url, {scheme, width, height: 1000});
    await page.locator(".price").nth(11).waitFor();
    await page.locator(".viewer").nth(3).waitFor();
    assert.deepEqual(await page.locator(".policy").allInnerTexts(), ["keep_latest", "drop_oldest", "drop_newest", "close"]);
    if (scheme === "light") {
      const slow = page.locator(".viewer").nth(1);
      await slow.locator("input").fill("1000");
      await page.waitForFunction(() => Number(document.querySelectorAll(".dropped")[1].textContent.replace(/,/g, "")) > 100);
      assert.equal(await page.locator(".dropped").nth(0).innerText(), "0");
    }
    assert.equal(await page.innerText("#state"), "live");
    await looksRight(page, scheme, width > 400 ? "ticker" : "ticker_narrow");
  }
}

// Follows the link of a person on the page of the pretend provider.
async function signIn(page, person, scheme, picture) {
  await page.getByRole("heading", {name: "Choose who you are"}).waitFor();
  await looksRight(page, scheme, picture);
  await page.getByRole("link", {name: person}).click();
}

async function googleAuth(url) {
  for (const [scheme, width] of [["light", 900], ["dark", 900], ["dark", 360]]) {
    const narrow = width > 400 ? "" : "_narrow";
    const page = await open(url, {scheme, width, expected: /403 /});
    await signIn(page, "Ada Lovelace", scheme, `google_auth_provider${narrow}`);
    await page.getByRole("heading", {name: "Hello Ada Lovelace"}).waitFor();
    assert.equal(page.url(), url);
    await looksRight(page, scheme, `google_auth${narrow}`);
    await page.getByRole("button", {name: "Sign out"}).click();
    await page.getByRole("heading", {name: "You are signed out."}).waitFor();
    await looksRight(page, scheme, `google_auth_signed_out${narrow}`);
    // The user says no.
    await page.getByRole("link", {name: "Sign in with Google"}).click();
    await page.click("#refuse");
    await page.getByRole("heading", {name: "You have not signed in."}).waitFor();
    assert.deepEqual(page.faults, []);
  }
}

async function facebook(url) {
  for (const [scheme, width] of [["light", 900], ["dark", 900], ["dark", 360]]) {
    const narrow = width > 400 ? "" : "_narrow";
    const page = await open(url, {scheme, width});
    await signIn(page, "Ada Lovelace", scheme, `facebook_provider${narrow}`);
    await page.getByRole("heading", {name: "Posts of Ada Lovelace"}).waitFor();
    assert.equal(await page.locator("article").count(), 2);
    await page.getByText("Never write <script>alert(1)</script> into a page").waitFor();
    await looksRight(page, scheme, `facebook${narrow}`);
    await page.getByRole("button", {name: "Sign out"}).click();
    await page.getByRole("heading", {name: "You are signed out."}).waitFor();
    assert.deepEqual(page.faults, []);
  }
}

async function i18n(url) {
  const lefts = {};
  for (const [locale, scheme, title] of [["en-GB", "light", "Harbour ferries"], ["de-AT", "dark", "Hafenfähren"], ["es-MX", "light", "Transbordadores del puerto"],
    ["ru-RU", "dark", "Портовые паромы"], ["ar-EG", "light", "عبّارات الميناء"], ["ar-EG", "dark", "عبّارات الميناء"]]) {
    const page = await open(url, {scheme, locale, height: 900});
    const language = locale.slice(0, 2);
    assert.equal(await page.innerText("h1"), title);
    assert.equal(await page.title(), title);
    assert.equal(await page.locator(":root").getAttribute("lang"), language);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).direction), language === "ar" ? "rtl" : "ltr");
    lefts[language] = (await page.locator("h1 img").boundingBox()).x;
    await looksRight(page, scheme, `i18n_${language}`);
  }
  // The icon of the title is on the side where the text begins.
  assert.ok(lefts.en < 300 && lefts.ar > 600, JSON.stringify(lefts));
  // The menu, on a telephone: the choice stays, until the browser counts again.
  const page = await open(url, {locale: "de", width: 360, height: 740});
  await page.getByRole("button", {name: "العربية"}).click();
  await page.locator("h1", {hasText: "عبّارات الميناء"}).waitFor();
  await page.reload();
  assert.equal(await page.locator("button[aria-current]").innerText(), "العربية");
  assert.deepEqual((await page.locator(".gulls li").allInnerTexts()).slice(0, 3).map(text => text.replace(/^\d+\s*/, "")), ["لا نوارس", "نورس واحد", "نورسان"]);
  await looksRight(page, "light", "i18n_narrow");
  await page.locator("button.quiet").click();
  await page.locator("h1", {hasText: "Hafenfähren"}).waitFor();
  assert.deepEqual(page.faults, []);
}


async function blog(url) {
  const ida = await open(url);
  ida.on("dialog", dialog => ida.faults.push(`a script has run: ${dialog.message()}`));
  // The empty blog leads to the form for its first author.
  await ida.getByText("Become the author").waitFor();
  await looksRight(ida, "light", "blog_create");
  await ida.fill("[name=name]", "Ida Lindgren");
  await ida.fill("[name=email]", "ida@example.com");
  await ida.fill("[name=password]", "a long password");
  await ida.click("text=Become the author");

  const titles = ["Notes from the harbour", "What a page makes of <script>alert(1)</script>"];
  const texts = [
    "The fog came in at *six*, and the ferries were late. [The timetable](https://www.example.com/ferries) says otherwise.\n\n" +
      "> A watched horizon never clears.\n\nWhat I carried:\n\n- a thermos\n- two maps\n- `tide.cc`, printed\n",
    "A script in the text is only text:\n\n<script>alert(2)</script>\n\nThe same within a line: <img src=x onerror=alert(3)>.\n\n" +
      "## How\n\nThe title is escaped by the template, the text by the *renderer* of Markdown:\n\n```\nentry.html = html_of(entry.markdown);\n```\n",
  ];
  for (const i of [0, 1]) {
    if (i > 0) await ida.click("nav >> text=Write");
    await ida.fill("[name=title]", titles[i]);
    await ida.fill("[name=markdown]", texts[i]);
    if (i === 1) await looksRight(ida, "light", "blog_compose");
    await ida.click("text=Publish");
    await ida.locator("article h1").waitFor();
    assert.equal(await ida.innerText("article h1"), titles[i]);
  }
  assert.match(await ida.innerText(".text"), /<script>alert\(2\)<\/script>/);
  assert.match(await ida.innerText(".text"), /The same within a line: <img src=x onerror=alert\(3\)>\./);
  assert.equal(await ida.locator("main script, main img").count(), 0);
  await looksRight(ida, "light", "blog_entry");

  await ida.click("text=Edit");
  assert.equal(await ida.inputValue("[name=markdown]"), texts[1]);
  await ida.fill("[name=markdown]", `${texts[1]}\nAnd that is all.`);
  await ida.click("text=Save");
  await ida.getByText("And that is all.").waitFor();

  await ida.click("text=Sign out");
  await ida.click("nav >> text=Sign in");
  assert.equal(await ida.locator("nav >> text=Write").count(), 0);
  await ida.fill("[name=email]", "ida@example.com");
  await ida.fill("[name=password]", "a wrong password");
  await ida.click("button:has-text('Sign in')");
  await ida.getByText("incorrect password").waitFor();
  await looksRight(ida, "light", "blog_refused");
  await ida.fill("[name=password]", "a long password");
  await ida.click("button:has-text('Sign in')");
  await ida.locator("nav >> text=Write").waitFor();
  await looksRight(ida, "light", "blog");

  for (const [path, width, picture] of [["", 900, "blog"], ["", 360, "blog_narrow"], ["archive", 360, "blog_archive"], ["auth/login", 900, "blog_login"]]) {
    const reader = await open(url + path, {scheme: "dark", width, height: 800});
    await looksRight(reader, "dark", picture);
  }
}

const checks = [
  ["blog", "blog: the author signs up, writes, signs out and in again, and no script of an entry runs", blog],
  ["ticker", "ticker: a viewer that is made slow loses prices, and the others none", ticker],
  ["c10k", "c10k: the page shows the connections, and draws what they do", c10k],
  ["helloworld", "helloworld: the browser shows the greeting", helloworld],
  ["sse_clock", "sse_clock: the clock ticks, and the poem comes to its end", clock],
  ["chat", "chat: a message appears in both pages, once and escaped", chat],
  ["chat", "chat: a page with a WebSocket and a page that polls show the same messages", chatByWebSocket],
  ["chat", "chat: a browser without scripts sends messages too", chatWithoutScript],
  ["websocket", "websocket: a message appears in both pages, once and escaped, and a lost connection comes back", webSocket],
  ["google_auth", "google_auth: a user signs in by the pretend provider, signs out, and says no", googleAuth],
  ["facebook", "facebook: a user signs in by the pretend provider, and sees posts, escaped", facebook],
  ["i18n", "i18n: the page is in the language of the browser, or of the menu, and runs from right to left in Arabic", i18n],
  ["api", "api: the page shows the requests of openapi.json, and adds, pins and deletes notes", api],
];
for (const [demo, name, check] of checks) {
  if (!settings.demos[demo]) continue;
  const problems = [];
  try {
    await check(settings.demos[demo]);
  } catch (error) {
    problems.push(error.stack, ...opened.flatMap(page => page.faults));
  }
  for (const page of opened) await page.context().close();
  opened = [];
  console.log(JSON.stringify({name, problems}));
}
await browser.close();
