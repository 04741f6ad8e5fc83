// SPDX-License-Identifier: MIT
"use strict";

const POLL_MS = 2000;
const byId = (id) => document.getElementById(id);
let key = "";
let timer = 0;
let silent = false; // the host did not answer last time

function say(text, good) {
  const message = byId("message");
  if (message.textContent !== text) {
    message.textContent = text; // said again to nobody who heard it
  }
  message.className = good ? "message good" : "message bad";
}

// ---- the key ----

// A key, or a link with one in it: empty for anything else.
function keyIn(text) {
  const found = /^(?:.*[#&]key=)?([\w-]{32})\s*$/.exec(text.trim());
  return found ? found[1] : "";
}

// For this tab only. A browser may forbid even that: then until the page is left.
function remember(value) {
  key = value;
  try {
    sessionStorage.setItem("key", value);
  } catch {}
}

function recall() {
  try {
    return sessionStorage.getItem("key") || "";
  } catch {
    return "";
  }
}

// It travels in the fragment, which browsers send to nobody, and leaves the address bar at once.
function takeKeyFromAddress() {
  const carried = location.hash;
  if (!carried) {
    return false;
  }
  history.replaceState(null, "", location.pathname);
  remember(keyIn(carried));
  return true;
}

function askForKey(text) {
  remember("");
  byId("lists").hidden = true;
  byId("unlock").hidden = false;
  say(text, false);
  byId("key").focus();
}

function begin() {
  say("", true);
  byId("unlock").hidden = true;
  poll();
}

// ---- the host ----

async function call(path, body) {
  const options = { headers: { "X-Perigee-Key": key }, cache: "no-store", credentials: "omit" };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let reply, answer;
  try {
    reply = await fetch("api/v1/" + path, options);
    answer = await reply.json();
  } catch {
    silent = true;
    throw new Error("The host does not answer. Is it running? This page keeps trying.");
  }
  if (!answer.success) {
    const error = new Error(answer.error || "The host refused and did not say why.");
    error.locked = reply.status === 401 || reply.status === 429;
    throw error;
  }
  return answer;
}

function complain(error) {
  if (!error.locked) {
    say(error.message, false);
  } else if (key) { // whoever was asked for it already is not asked twice
    askForKey(error.message);
  }
}

// ---- the lists ----

function put(row, selector, text) {
  const element = row.querySelector(selector);
  if (element.textContent !== text) {
    element.textContent = text; // what is the same stays selected
  }
}

// Keeps the rows that are there already, so that nobody loses what is being typed.
function show(list, items, template, prepare) {
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  for (const item of items) {
    let row = rows.get(item.id);
    if (!rows.delete(item.id)) {
      row = byId(template).content.cloneNode(true).firstElementChild;
      row.dataset.id = item.id;
      prepare(row, item);
      list.append(row);
    }
    put(row, ".name", item.name);
    put(row, ".fingerprint", item.fingerprint);
  }
  for (const row of rows.values()) {
    if (!row.dataset.busy) {
      row.remove();
    }
  }
}

async function pair(row, item) {
  const button = row.querySelector("button");
  const name = row.querySelector(".label").value.trim();
  const body = { pairing: item.pairing, pin: row.querySelector(".pin").value };
  if (name) {
    body.name = name;
  }
  button.disabled = true;
  row.dataset.busy = "1";
  say("Waiting for the client to prove the PIN…", true);
  try {
    await call("pair/client", body);
    say("Paired. The client can stream now.", true);
  } catch (error) {
    complain(error);
  }
  delete row.dataset.busy;
  button.disabled = false;
  await refresh();
  keepFocus();
}

function prepareWaiting(row, item) {
  put(row, ".address", item.address);
  const form = row.querySelector("form");
  form.setAttribute("aria-label", `Pair ${item.name}`);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    pair(row, item);
  });
}

async function unpair(name, id) {
  if (!confirm(`Unpair ${name}? It has to pair again to stream.`)) {
    return;
  }
  try {
    await call("unpair/client", { client_id: id });
    say(`${name} is no longer paired.`, true);
  } catch (error) {
    complain(error);
  }
  await refresh();
  keepFocus();
}

function prepareClient(row, item) {
  const button = row.querySelector(".remove");
  button.setAttribute("aria-label", `Unpair ${item.name}`);
  button.addEventListener("click", () => unpair(row.querySelector(".name").textContent, item.id));
}

const isIdle = () => [document.body, byId("message")].includes(document.activeElement);

// When the row with the focus is gone, the keyboard goes on from the words that say why.
function keepFocus() {
  if (isIdle()) {
    byId("message").focus();
  }
}

async function refresh() {
  if (!key) {
    return;
  }
  try {
    const { requests } = await call("pair/pending");
    const { clients } = await call("clients");
    const waited = byId("waiting").children.length;
    show(byId("waiting"),
      requests.map((r) => ({ ...r, id: `${r.pairing} ${r.fingerprint}` })),
      "waiting-row", prepareWaiting);
    show(byId("clients"), clients.map((c) => ({ ...c, id: c.client_id })),
      "client-row", prepareClient);
    byId("nobody").hidden = requests.length > 0;
    byId("no-clients").hidden = clients.length > 0;
    byId("lists").hidden = false;
    if (silent) {
      silent = false;
      say("", true);
    }
    if (!waited && requests.length && isIdle()) {
      document.querySelector(".pin").focus();
    }
  } catch (error) {
    complain(error);
  }
}

async function poll() {
  clearTimeout(timer);
  await refresh();
  clearTimeout(timer);
  timer = key ? setTimeout(poll, POLL_MS) : 0;
}

// ---- the beginning ----

const DAMAGED = "That is no key of a Perigee: it has 32 letters, digits, “-” or “_”.";

byId("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  const entered = keyIn(byId("key").value);
  if (entered) {
    byId("key").value = "";
    remember(entered);
    begin();
  } else {
    say(DAMAGED, false);
  }
});

function start() {
  const carried = takeKeyFromAddress();
  key = key || (carried ? "" : recall());
  if (key) {
    begin();
  } else {
    askForKey(carried ? DAMAGED : "");
  }
}

// The link opened again in the same tab changes the fragment only. Of two changes in a row the
// first event takes the newest key; the second finds nothing, and what was said stays.
window.addEventListener("hashchange", () => {
  if (location.hash) {
    start();
  }
});
start();
