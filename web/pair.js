// SPDX-License-Identifier: MIT
"use strict";

// The key travels in the fragment, which browsers do not send anywhere, and is kept for this tab only.
const store = window.sessionStorage;
const fromLink = new URLSearchParams(location.hash.slice(1)).get("key");
if (fromLink) {
  store.setItem("key", fromLink);
  history.replaceState(null, "", location.pathname);
}
const key = store.getItem("key") || "";
const POLL_MS = 2000;
const byId = (id) => document.getElementById(id);

function say(text, good) {
  const message = byId("message");
  message.textContent = text;
  message.className = good ? "good" : "bad";
}

async function call(path, body) {
  const options = { headers: { "X-Perigee-Key": key }, cache: "no-store", credentials: "omit" };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let reply;
  try {
    reply = await (await fetch("api/v1/" + path, options)).json();
  } catch {
    throw new Error("The host does not answer.");
  }
  if (!reply.success) {
    throw new Error(reply.error || "The host refused.");
  }
  return reply;
}

// Keeps rows that are there already, so that nobody loses what is being typed.
function show(list, items, template, fill) {
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  for (const item of items) {
    if (!rows.delete(item.id)) {
      const row = byId(template).content.cloneNode(true).firstElementChild;
      row.dataset.id = item.id;
      row.querySelector(".name").textContent = item.name;
      row.querySelector(".fingerprint").textContent = item.fingerprint;
      fill(row, item);
      list.append(row);
    }
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
    say(error.message, false);
  }
  delete row.dataset.busy;
  button.disabled = false;
  await refresh();
}

function fillWaiting(row, item) {
  row.querySelector(".address").textContent = item.address;
  row.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    pair(row, item);
  });
}

function fillClient(row, item) {
  row.querySelector(".remove").addEventListener("click", async () => {
    if (!confirm(`Unpair ${item.name}? It has to pair again to stream.`)) {
      return;
    }
    try {
      await call("unpair/client", { client_id: item.id });
      say(`${item.name} is no longer paired.`, true);
    } catch (error) {
      say(error.message, false);
    }
    await refresh();
  });
}

async function refresh() {
  try {
    const pending = (await call("pair/pending")).requests.map((r) => ({ ...r, id: String(r.pairing) }));
    show(byId("waiting"), pending, "waiting-row", fillWaiting);
    byId("nobody").hidden = pending.length > 0;
    const clients = (await call("clients")).clients.map((c) => ({ ...c, id: c.client_id }));
    show(byId("clients"), clients, "client-row", fillClient);
    byId("no-clients").hidden = clients.length > 0;
    return true;
  } catch (error) {
    say(error.message, false);
    return false;
  }
}

async function poll() {
  await refresh();
  setTimeout(poll, POLL_MS);
}

if (key) {
  poll();
} else {
  say("Please open the link that the host printed: it carries the key to this page.", false);
}
