// Shows what the admin routes tell, every two seconds. All that comes from outside becomes text, never markup.
const EVERY = 2000;
const KEY = "syncline-admin-token";
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

let token = sessionStorage.getItem(KEY);
let after = null; // the page of groups that is shown
let shown = null; // the group whose members are shown
let groups = [];
let timer = 0;
let now = 0; // the hub's time, so that a wrong clock here misleads nobody
let turn = 0; // answers to older questions are dropped

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(15000) });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body.detail || `status ${answer.status}`);
  return body;
}

function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${unit && count < 100 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

function span(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

// Marks that turn text around or cannot be seen are shown as what they are: a name must not look like another.
const visible = (text) => text.replace(/[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/g,
  (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);

const many = (count, one) => `${number.format(count)} ${one}${count === 1 ? "" : "s"}`;

const ago = (time) => (time == null ? "never" : `${span(now - time)} ago`);

function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

// Says it only if it is news: a screen reader would repeat it.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Rows keep their nodes while their key lives, so that focus and selection stay where they are.
function rows(table, items, keyOf, fill) {
  const body = table.tBodies[0];
  const old = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  items.forEach((item, position) => {
    const key = keyOf(item);
    let row = old.get(key);
    old.delete(key);
    if (!row) {
      row = make("tr");
      row.dataset.key = key;
    }
    const text = JSON.stringify(fill(item).map((cell) => (cell instanceof Node ? cell.outerHTML : cell)));
    if (row.dataset.text !== text) {
      row.dataset.text = text;
      const cells = fill(item).map((cell) => (cell instanceof Node ? cell : make("td", cell, "n")));
      const had = row.contains(document.activeElement);
      row.replaceChildren(...cells);
      if (had) row.querySelector("button")?.focus();
    }
    if (body.rows[position] !== row) body.insertBefore(row, body.rows[position] || null);
  });
  for (const row of old.values()) row.remove();
}

function cell(text, className = "text") {
  return make("td", visible(text), className);
}

function named(text, ...tags) {
  const head = make("th", undefined, "name");
  head.scope = "row";
  const code = make("code", visible(text), "text");
  head.append(code, ...tags);
  return head;
}

const tag = (text, kind, title) => {
  const node = make("span", text, `tag ${kind}`);
  if (title) node.title = title;
  return node;
};

function showTotals(status) {
  const totals = status.totals;
  const all = [
    ["Groups", short.format(totals.groups), ""],
    ["Stored", bytes(totals.bytes), `${short.format(totals.segments)} segments`],
    ["Entries", short.format(totals.entries), `${short.format(totals.items)} items`],
    ["Waiting for notices", number.format(totals.subscribers), `${number.format(totals.connections)} connections`],
    ["Requests", short.format(totals.requests), `${short.format(totals.refused)} refused`],
    ["Received", bytes(totals.received), `${bytes(totals.sent)} sent`],
  ];
  const list = at("totals");
  if (!list.children.length) {
    for (const [name] of all) {
      const pair = make("div");
      pair.append(make("dt", name), make("dd"));
      list.append(pair);
    }
  }
  all.forEach(([, value, beside], position) => {
    const node = list.children[position].lastChild;
    const wanted = [value, beside].join("\n");
    if (node.dataset.text === wanted) return;
    node.dataset.text = wanted;
    node.replaceChildren(value, ...(beside ? [make("small", beside)] : []));
  });
}

function showGroups() {
  const filter = at("filter").value.trim().toLowerCase();
  const list = groups.filter((group) => group.group.toLowerCase().includes(filter));
  at("no-groups").hidden = groups.length > 0 || after !== null;
  at("no-match").hidden = groups.length === 0 || list.length > 0;
  at("groups").hidden = list.length === 0;
  rows(at("groups"), list, (group) => group.group, (group) => {
    const head = make("th", undefined, "name");
    head.scope = "row";
    const open = make("button", visible(group.group), "link");
    open.type = "button";
    open.addEventListener("click", () => choose(group.group));
    head.append(open);
    if (group.ahead) {
      const title = "Segments came with stamps from the future: somebody's clock is wrong";
      head.append(tag(`${number.format(group.ahead)} ahead`, "warn", title));
    }
    return [
      head, bytes(group.bytes), number.format(group.entries), number.format(group.segments),
      number.format(group.items), ago(group.changed),
    ];
  });
  for (const row of at("groups").tBodies[0].rows) {
    if (row.dataset.key === shown) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function showDetail(detail) {
  at("detail").hidden = false;
  say(at("detail-title"), visible(detail.group));
  const facts = [
    `newest number ${number.format(detail.number)}`, `epoch ${number.format(detail.epoch)} of the items`,
    many(detail.leases.length, "lease"), `changed ${ago(detail.changed)}`,
  ];
  say(at("detail-facts"), facts.join(" · "));
  const all = detail.members.reduce((sum, member) => sum + head(member), 0);
  at("no-members").hidden = detail.members.length > 0;
  at("members").hidden = detail.members.length === 0;
  rows(at("members"), detail.members, (member) => member.replica, (member) => {
    const forked = member.heads.length > 1
      ? [tag(`${member.heads.length} branches`, "warn", "This lane was forked: a database was cloned or rolled back")]
      : [];
    const wanted = all - head(member);
    const bar = make("progress");
    bar.max = Math.max(wanted, 1);
    bar.value = wanted === 0 ? 1 : Math.max(0, wanted - member.behind);
    bar.setAttribute("aria-label", `${number.format(Math.max(0, wanted - member.behind))} of ${number.format(wanted)} entries of others`);
    const received = make("td");
    received.append(bar);
    const behind = make("td", undefined, "n");
    behind.append(member.behind
      ? tag(`${number.format(member.behind)} in ${many(member.behind_lanes, "lane")}`, "warn")
      : tag("up to date", "good"));
    const who = named(member.replica.slice(0, 8), ...forked);
    who.title = member.replica;
    return [who, number.format(head(member)), received, behind];
  });
  at("leases-part").hidden = detail.leases.length === 0;
  rows(at("leases"), detail.leases, (lease) => lease.name, (lease) => [
    named(lease.name), cell(lease.holder), number.format(lease.token), `in ${span(lease.expires - now)}`,
  ]);
}

const head = (member) => member.heads.reduce((most, tip) => Math.max(most, tip.seq), 0);

function showErrors(errors) {
  at("no-errors").hidden = errors.length > 0;
  at("errors-part").hidden = errors.length === 0;
  rows(at("errors"), errors, (error) => [error.place, error.group, error.subject, error.status, error.kind, error.detail].join("\n"), (error) => {
    const kind = make("td");
    const serious = error.status === undefined || error.status >= 500;
    kind.append(tag(error.status ? `${error.kind} ${error.status}` : error.kind, serious ? "bad" : "warn"));
    const place = cell(error.place);
    if (error.detail) place.append(make("div", visible(error.detail), "hint"));
    return [cell(ago(error.at), ""), kind, place, cell(error.group ?? "–"), cell(error.subject ?? "–"), number.format(error.count)];
  });
}

function state(kind, text) {
  at("state").dataset.state = kind;
  say(at("state"), text);
}

async function look() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const page = after === null ? "" : `?after=${encodeURIComponent(after)}`;
    const chosen = shown;
    const questions = [ask("/v1/admin/status"), ask(`/v1/admin/groups${page}`)];
    if (chosen !== null) questions.push(ask(`/v1/admin/groups/${encodeURIComponent(chosen)}`).catch(gone));
    const [status, list, detail] = await Promise.all(questions);
    if (mine !== turn) return;
    now = status.now;
    at("enter").hidden = true;
    at("hub").hidden = false;
    at("leave").hidden = !token;
    state(status.ready ? "good" : "bad", status.ready ? "Ready" : "Not ready");
    say(at("facts"), `version ${status.version} · up ${span(now - status.started)}`);
    groups = list.groups;
    at("first").hidden = after === null;
    at("more").hidden = list.more_after === undefined;
    at("more").dataset.after = list.more_after ?? "";
    showTotals(status);
    showGroups();
    if (detail) showDetail(detail);
    showErrors(status.errors);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
      refused(error);
      return;
    }
    state("bad", error instanceof Refused ? `Trouble: ${error.message}` : "Out of reach");
  }
  if (!document.hidden) timer = setTimeout(look, EVERY);
}

// A group that is gone is no longer shown; anything else is an error as ever.
function gone(error) {
  if (!(error instanceof Refused) || error.status !== 404) throw error;
  closeDetail();
  return null;
}

function refused(error) {
  const had = token;
  forget();
  state("wait", "Needs a token");
  at("wrong").textContent = had ? error.message : "";
  at("token").focus();
}

function forget() {
  turn += 1;
  clearTimeout(timer);
  token = null;
  sessionStorage.removeItem(KEY);
  closeDetail();
  after = null;
  groups = [];
  for (const table of document.querySelectorAll("tbody")) table.replaceChildren();
  at("totals").replaceChildren();
  say(at("facts"), "");
  at("hub").hidden = true;
  at("leave").hidden = true;
  at("enter").hidden = false;
}

async function choose(group) {
  shown = group;
  await look();
  if (shown === group && !at("detail").hidden) at("detail").focus();
}

function closeDetail() {
  const was = shown;
  shown = null;
  at("detail").hidden = true;
  at("members").tBodies[0].replaceChildren();
  at("leases").tBodies[0].replaceChildren();
  if (was === null) return;
  showGroups();
  for (const row of at("groups").tBodies[0].rows) {
    if (row.dataset.key === was) row.querySelector("button")?.focus();
  }
}

at("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  at("token").value = "";
  at("wrong").textContent = "";
  if (!/^[\x21-\x7e]+$/.test(token)) {
    token = null;
    at("wrong").textContent = "A token has no spaces and no letters beyond ASCII.";
    return;
  }
  sessionStorage.setItem(KEY, token);
  look();
});
at("leave").addEventListener("click", () => {
  forget();
  state("wait", "Needs a token");
  at("token").focus();
});
at("close").addEventListener("click", closeDetail);
at("filter").addEventListener("input", showGroups);
at("more").addEventListener("click", () => {
  after = at("more").dataset.after;
  look();
});
at("first").addEventListener("click", () => {
  after = null;
  look();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && at("enter").hidden) look();
});
look();
