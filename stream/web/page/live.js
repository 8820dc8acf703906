// The live view's page. It reads one WebSocket and writes the DOM. Text from outside is set as textContent only.

import { Timeline } from "./timeline.js";

const HEADER = 10;                 // bytes before a JPEG: camera index uint16, time float64, big-endian
const SILENCE = 10_000;            // ms; the server sends a message at least every 4 s
const STALLED = 3;                 // seconds without a frame after which a connected camera is stalled
const SHAPES = [1.3, 1.9];         // a card's width / height; a picture of another shape gets a blurred margin
const SMALLEST = 160;              // pixels; more cameras than fit at this width are scrolled to
const EVENTS_KEPT = 200;
const DAY = { day: "numeric", month: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

// Okabe and Ito's colour-blind safe set without black, its blue lighter for the dark page, and three more.
const PALETTE = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#3f7fe8", "#d55e00", "#cc79a7", "#8d99ae", "#b58be8", "#a6a23c"];

const byId = (id) => document.getElementById(id);
const cameras = [];                // as on the page: {view, card, parts, ...}
let searches = 0;
const heard = new Map();           // by id: the last events from the server, without filters
const events = new Map();          // by id: {event, row} of the events in the list
const colours = new Map();
let greeting = null;               // the server's last hello
const timeline = new Timeline(byId("timeline"), { colour, readable, duration, clock });

// --- The connection -----------------------------------------------------------------------------------------------

let socket = null;
let attempt = 0;
let lastWord = 0;

function connect() {
  socket = new WebSocket(new URL("live", location.href.replace(/^http/, "ws")));
  socket.binaryType = "arraybuffer";
  lastWord = performance.now();
  socket.onopen = () => tellWhetherWatched();
  socket.onmessage = ({ data }) => {
    lastWord = performance.now();
    if (data instanceof ArrayBuffer) onPicture(data);
    else onMessage(JSON.parse(data));
  };
  socket.onclose = () => {
    const wait = Math.min(10_000, 500 * 2 ** attempt++) * (0.75 + Math.random() / 2);
    setLink("lost", "Connection lost, still retrying");
    setTimeout(connect, wait);
  };
}

function setLink(state, words) {
  document.documentElement.dataset.link = state;
  setText(byId("link"), words);
}

function tellWhetherWatched() {
  if (socket.readyState === WebSocket.OPEN) socket.send(document.hidden ? "rest" : "watch");
}

function onMessage(message) {
  if (message.type === "hello") greet(message);
  else if (message.type === "camera") showCamera(message);
  else if (message.type === "event") onEvent(message);
  else if (message.type === "broker") byId("unheard").hidden = message.connected;
}

function greet(hello) {
  if (greeting && greeting.version !== hello.version) return location.reload();
  const roster = ({ cameras: views }) => JSON.stringify(views.map((view) => [view.index, view.name]));
  const isSame = greeting && roster(hello) === roster(greeting);
  greeting = hello;
  attempt = 0;
  setLink("open", "Connected");
  byId("unheard").hidden = hello.broker;
  setText(byId("about"), `${hello.model.name} ${hello.model.version} on ${hello.provider}`);
  byId("about").title = `harstream ${hello.version}`;
  assignColours(hello.labels);
  listLabels(hello);
  if (!isSame) buildCameras(hello.cameras);
  hello.cameras.forEach(showCamera);
  if (!isSame) showEnlarged();
  timeline.showCameras(hello.cameras.map((view) => view.name));
  offerFilters(hello);
  heard.clear();
  hello.events.forEach(hear);
  search();
  recall();
}

// --- Cameras ------------------------------------------------------------------------------------------------------

function buildCameras(views) {
  cameras.length = 0;
  byId("stage").replaceChildren();
  byId("stage").toggleAttribute("data-only-one", views.length === 1);
  for (const view of views) {
    const card = byId("camera").content.firstElementChild.cloneNode(true);
    const part = (name) => card.querySelector(`.${name}`);
    const parts = Object.fromEntries(["backdrop", "picture", "name", "fps", "badge", "power", "enlarge", "activity", "sure",
      "lasts", "expected", "top"].map((name) => [name, part(name)]));
    const camera = { view, card, parts, received: 0, waiting: null, isDrawing: false };
    parts.bar = part("now").querySelector(".meter");
    setText(parts.name, view.name);
    parts.enlarge.setAttribute("aria-label", `Enlarge ${view.name}`);
    parts.enlarge.onclick = () => enlarge(camera.card.dataset.enlarged === undefined ? camera : null);
    parts.power.hidden = !greeting.control;
    parts.power.onclick = () => switchCamera(camera);
    cameras.push(camera);
    byId("stage").append(card);
  }
  fit();
}

function showCamera(view) {
  const camera = cameraAt(view.index);
  if (!camera) return;
  const { card, parts } = camera;
  // A message without a new time, such as one about dropped frames, is no frame.
  if (!camera.received || view.time !== camera.view.time) camera.received = performance.now();
  camera.view = view;
  const isCalm = view.state !== "live" || view.activity === "unknown" || view.blind !== null;
  card.dataset.state = view.state;
  if (view.state === "disabled") delete card.dataset.pictured;
  card.toggleAttribute("data-calm", isCalm);
  card.toggleAttribute("data-overloaded", isOverloaded(view));
  const isOff = view.state === "disabled";
  parts.power.setAttribute("aria-pressed", String(isOff));
  parts.power.setAttribute("aria-label", `Switch ${view.name} ${isOff ? "on" : "off"}`);
  parts.power.title = parts.power.getAttribute("aria-label");
  setText(parts.activity, headline(view));
  parts.activity.title = view.activity;
  setText(parts.sure, percent(view.confidence));
  setBar(parts.bar, view.confidence, view.activity);
  parts.bar.style.setProperty("--threshold", percent(view.threshold));
  const scores = card.dataset.enlarged === undefined ? view.topk : greeting.labels.map((label, index) => [label, view.scores[index]]);
  showCandidates(parts.top, view.state === "live" && view.topk.length > 0 ? scores : []);
  tick(camera);
  byId("overload").hidden = !cameras.some((other) => isOverloaded(other.view));
}

// The result arrives over the socket; only a refusal is shown here.
async function switchCamera({ view, parts }) {
  parts.power.disabled = true;
  try {
    const answer = await fetch(`api/cameras/${encodeURIComponent(view.name)}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ enabled: view.state === "disabled" }),
    });
    if (!answer.ok) setText(parts.lasts, (await answer.json()).detail);
  } catch (error) {
    setText(parts.lasts, "The server did not answer");
  } finally {
    parts.power.disabled = false;
  }
}

function cameraAt(index) {
  return cameras.find((camera) => camera.view.index === index);
}

function isWarming(view) {
  return view.state === "live" && view.warming[0] < view.warming[1];
}

function headline(view) {
  if (view.state === "offline") return "No signal";
  if (view.state === "disabled") return "Switched off";
  if (view.state === "connecting") return "Connecting";
  if (view.blind) return view.blind === "dark" ? "Nothing to see" : "The picture is frozen";
  if (view.activity !== "unknown") return readable(view.activity);
  return isWarming(view) ? "Getting ready" : "No activity";
}

function showCandidates(list, topk) {
  while (list.children.length > topk.length) list.lastElementChild.remove();
  while (list.children.length < topk.length) list.append(byId("candidate").content.firstElementChild.cloneNode(true));
  topk.forEach(([label, score], index) => {
    const row = list.children[index];
    setText(row.querySelector(".label"), readable(label));
    setText(row.querySelector(".score"), percent(score));
    setBar(row.querySelector(".meter"), score, label);
  });
}

// The address of the page names the enlarged camera: a bookmark opens it, and Back leaves it.
function enlarge(camera) {
  history.pushState(null, "", camera ? `#${encodeURIComponent(camera.view.name)}` : location.pathname);
  showEnlarged();
}

function showEnlarged() {
  const chosen = cameras.find(({ view }) => `#${encodeURIComponent(view.name)}` === location.hash) ?? null;
  for (const camera of cameras) {
    camera.card.toggleAttribute("data-enlarged", camera === chosen);
    camera.card.hidden = chosen !== null && camera !== chosen;
    camera.parts.enlarge.setAttribute("aria-pressed", String(camera === chosen));
    showCamera(camera.view);
  }
  fit();
}

// Only the newest picture is drawn. A picture that arrives during decoding replaces the one that waits.
async function onPicture(buffer) {
  const camera = cameraAt(new DataView(buffer).getUint16(0));
  if (!camera || camera.view.state === "disabled") return;
  camera.waiting = new Blob([new Uint8Array(buffer, HEADER)], { type: "image/jpeg" });
  if (camera.isDrawing) return;
  camera.isDrawing = true;
  while (camera.waiting) {
    const newest = camera.waiting;
    camera.waiting = null;
    try {
      const picture = await createImageBitmap(newest);
      draw(camera, picture);
      picture.close();
    } catch (error) {
      console.warn("a picture could not be decoded", error);
    }
  }
  camera.isDrawing = false;
}

function draw(camera, picture) {
  if (camera.view.state === "disabled") return;
  const { picture: canvas, backdrop } = camera.parts;
  camera.card.dataset.pictured = "";
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    fit();
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
  backdrop.getContext("2d").drawImage(picture, 0, 0, backdrop.width, backdrop.height);
}

// Choose the columns that make the pictures largest, and prefer more columns if that costs little. In a narrow window
// the style sheet decides.
function fit() {
  const stage = byId("stage");
  const shown = cameras.filter((camera) => !camera.card.hidden);
  const style = getComputedStyle(stage);
  const gap = parseFloat(style.rowGap) || 0;
  const width = stage.clientWidth - 2 * parseFloat(style.paddingLeft);
  const height = stage.clientHeight - 2 * parseFloat(style.paddingTop);
  const shape = commonShape(shown);
  let best = 0, chosen = 0;
  for (let columns = 1; columns <= shown.length; columns++) {
    const rows = Math.ceil(shown.length / columns);
    const wide = Math.min((width - gap * (columns - 1)) / columns, shape * (height - gap * (rows - 1)) / rows);
    if (wide < 0.9 * best) continue;
    best = Math.max(best, wide);
    chosen = wide;
  }
  const wide = Math.floor(Math.max(chosen, Math.min(SMALLEST, width)));
  stage.style.setProperty("--wide", `${wide}px`);
  stage.style.setProperty("--high", `${Math.floor(wide / shape)}px`);
  stage.style.setProperty("--shape", String(shape));
}

function commonShape(shown) {
  const shapes = shown.filter((camera) => camera.card.dataset.pictured !== undefined)
    .map(({ parts }) => parts.picture.width / parts.picture.height);
  const isCommon = shapes.length > 0 && shapes.every((shape) => Math.abs(shape - shapes[0]) < 0.05);
  return isCommon ? Math.min(SHAPES[1], Math.max(SHAPES[0], shapes[0])) : 16 / 9;
}

// --- Events -------------------------------------------------------------------------------------------------------

function listEvents(known) {
  events.clear();
  byId("events").replaceChildren();
  byId("nothing").hidden = known.length > 0 || isLookedFor();
  setText(byId("count"), isLookedFor() ? "nothing found" : "");
  known.forEach(showEvent);
}

function onEvent(event) {
  hear(event);
  if (event.event === "start") setText(byId("spoken"), `${event.camera}: ${readable(event.activity)}`);
  if (isAskedFor(event)) showEvent(event);
}

function hear(event) {
  timeline.show(event);
  heard.set(event.id, event);
  if (heard.size > EVENTS_KEPT) heard.delete(heard.keys().next().value);
}

// The filters of the two lists; "" means all.
function isAskedFor(event) {
  const [camera, activity] = [byId("of-camera").value, byId("of-activity").value];
  return (!camera || event.camera === camera) && (!activity || event.activity === activity);
}

function isLookedFor() {
  return byId("of-camera").value !== "" || byId("of-activity").value !== "";
}

function offerFilters(hello) {
  const activities = hello.labels.filter((label) => !hello.background.includes(label));
  fillSelect(byId("of-camera"), "All cameras", hello.cameras.map((view) => [view.name, view.name]));
  fillSelect(byId("of-activity"), "All activities", activities.map((label) => [label, readable(label)]));
}

function fillSelect(select, all, choices) {
  const chosen = select.value;
  select.replaceChildren(...[["", all], ...choices].map(([value, text]) => new Option(text, value)));
  select.value = choices.some(([value]) => value === chosen) ? chosen : "";
}

// The history fills the timeline, and the list while a filter is set. Without a history, both show only the events since
// the page was opened.
async function recall() {
  const asked = new URLSearchParams({ since: "24h", limit: "10000" });
  for (const event of await past(asked)) timeline.show(event);
  timeline.draw();
}

async function search() {
  const mine = ++searches;
  const latest = () => [...heard.values()].filter(isAskedFor);
  listEvents(latest());
  if (!isLookedFor()) return;
  const asked = new URLSearchParams({ limit: String(EVENTS_KEPT) });
  for (const name of ["camera", "activity"]) if (byId(`of-${name}`).value) asked.set(name, byId(`of-${name}`).value);
  const found = await past(asked);
  if (mine !== searches) return;  // another search has started meanwhile
  listEvents([...found.reverse(), ...latest()]);
}

async function past(asked) {
  const answer = await fetch(`api/events?${asked}`).catch(() => null);
  if (!answer?.ok) return [];
  const seconds = (text) => text && Date.parse(text) / 1000;
  return (await answer.json()).map((row) => ({
    event: row.event_type,
    ...row,
    confidence: row.confidence.mean,
    started_at: seconds(row.started_at),
    updated_at: seconds(row.updated_at),
    ended_at: seconds(row.ended_at),
  }));
}

function showEvent(event) {
  const known = events.get(event.id);
  if (known && known.event.seq >= event.seq) return;
  const row = known ? known.row : newRow(event);
  events.set(event.id, { event, row });
  const goesOn = event.event !== "end";
  row.classList.toggle("goes-on", goesOn);
  row.dataset.event = event.event;
  row.style.setProperty("--colour", colour(event.activity));
  setText(row.querySelector(".what"), readable(event.activity));
  setText(row.querySelector(".where"), `${event.camera} · ${day(event.started_at)}${clock(event.started_at)}${goesOn ? "" : ` – ${clock(event.ended_at)}`}`);
  setText(row.querySelector(".sure"), percent(event.confidence));
  row.title = event.end_reason ? `${event.activity}, ended: ${event.end_reason.replaceAll("_", " ")}` : event.activity;
  tickEvent({ event, row });
  setText(byId("count"), events.size === 1 ? "1 activity" : `${events.size} activities`);
  byId("nothing").hidden = true;
}

function newRow(event) {
  const row = byId("event").content.firstElementChild.cloneNode(true);
  const list = byId("events");
  const later = [...list.children].find((other) => Number(other.dataset.start) <= event.started_at);
  row.dataset.start = event.started_at;
  row.dataset.id = event.id;
  list.insertBefore(row, later ?? null);
  if (list.children.length > EVENTS_KEPT) {
    events.delete(list.lastElementChild.dataset.id);
    list.lastElementChild.remove();
  }
  return row;
}

function listLabels(hello) {
  byId("labels").replaceChildren(...hello.labels.filter((label) => !hello.background.includes(label)).map((label) => {
    const item = document.createElement("li");
    const swatch = document.createElement("i");
    item.style.setProperty("--colour", colour(label));
    item.append(swatch, readable(label));
    return item;
  }));
}

// --- Time ---------------------------------------------------------------------------------------------------------

// A camera's own clock: the time of its last frame, plus the time since that frame arrived.
function timeOf(camera) {
  const elapsed = (performance.now() - camera.received) / 1000;
  return camera.view.time + (camera.view.state === "live" ? Math.min(elapsed, STALLED) : 0);
}

function tick(camera) {
  const { view, card, parts } = camera;
  const silent = (performance.now() - camera.received) / 1000;
  const isStalled = view.state === "live" && silent > STALLED;
  const isBlind = view.state === "live" && view.blind !== null;
  const badge = isStalled ? "stalled" : isBlind ? view.blind : isWarming(view) ? "warming" : view.state;
  card.dataset.badge = badge;
  setText(parts.badge, badge === "warming" ? `WARMING ${view.warming[0]}/${view.warming[1]}` : badge.toUpperCase());
  setText(parts.lasts, isStalled ? `no frame for ${duration(silent)}` : explanation(camera));
  parts.lasts.title = parts.lasts.textContent;
  setText(parts.fps, isStalled ? "" : pace(view));
  setText(parts.expected, view.state === "live" && view.forecast ? expected(view.forecast, card.dataset.enlarged !== undefined) : "");
}

// The forecast: what is expected next, and for an enlarged camera also after each horizon. A forecast whose horizons
// have all passed is not shown.
function expected({ made_at, next, then }, isDetailed) {
  const now = Date.now() / 1000;
  if (now > made_at + Math.max(...then.map(([horizon]) => horizon))) return "";
  const named = (activity, share) => `${activity === "unknown" ? "no activity" : readable(activity)} ${percent(share)}`;
  const away = (time) => time > now ? `in ${duration(time - now)}` : "now";
  const words = next ? [`Next: ${named(next[0], next[1])}, ${away(next[2])}`] : [];
  if (isDetailed) words.push(...then.map(([horizon, activity, share]) => `${away(made_at + horizon)}: ${named(activity, share)}`));
  return words.join(" · ");
}

function pace(view) {
  if (view.state !== "live") return "";
  const fps = `${Math.round(view.fps)} fps`;
  if (view.dropping > 0) return `${fps}, ${percent(view.dropping)} dropped`;
  return view.behind > 0 ? `${fps}, ${duration(view.behind)} behind` : fps;
}

function isOverloaded(view) {
  return view.dropping > 0 || view.behind > 0;
}

function explanation(camera) {
  const { view } = camera;
  if (view.state === "offline") return view.reason || "The signal was lost";
  if (view.state === "disabled") return "Switched off, no pictures are taken";
  if (view.state === "connecting") return view.reason || "Waiting for the camera";
  if (view.blind) return `for ${duration(timeOf(camera) - view.blind_since)}: ${view.hint}`;
  if (isWarming(view)) return view.hint || "Looking at the first frames";
  return view.since > 0 ? `for ${duration(timeOf(camera) - view.since)}` : "";
}

function tickEvent({ event, row }) {
  const camera = cameras.find(({ view }) => view.name === event.camera);
  const until = event.ended_at ?? Math.max(event.updated_at, camera ? timeOf(camera) : 0);
  setText(row.querySelector(".lasted"), duration(until - event.started_at));
}

function tickAll() {
  const now = new Date();
  setText(byId("clock"), now.toLocaleTimeString([], CLOCK));
  cameras.forEach(tick);
  for (const entry of events.values()) if (entry.event.event !== "end") tickEvent(entry);
  if (socket?.readyState === WebSocket.OPEN && performance.now() - lastWord > SILENCE) socket.close();
}

// A replayed file counts from its first frame; anything since 2001 is a date.
function clock(time) {
  return time > 1e9 ? new Date(time * 1000).toLocaleTimeString([], CLOCK) : duration(time);
}

// The list starts with the history, so times of earlier days need a date.
function day(time) {
  const date = new Date(time * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return time > 1e9 && !isToday ? `${date.toLocaleDateString([], DAY)}, ` : "";
}

function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// --- Words and colours --------------------------------------------------------------------------------------------

// "TrampolineJumping" and "jump_rope" as a person writes them.
function readable(label) {
  const words = label.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function percent(share) {
  return `${Math.round(100 * share)}%`;
}

// The colour follows from the name's hash (FNV-1a), so that an activity keeps it. If it is taken, use the next free one.
function assignColours(labels) {
  colours.clear();
  [...labels].sort().forEach(colour);
}

function colour(label) {
  if (colours.has(label)) return colours.get(label);
  let hash = 2166136261;
  for (const character of label) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  const taken = new Set(colours.values());
  const order = PALETTE.map((_, step) => PALETTE[(hash + step) % PALETTE.length]);
  colours.set(label, order.find((candidate) => !taken.has(candidate)) ?? order[0]);
  return colours.get(label);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setBar(meter, share, label) {
  meter.style.setProperty("--share", percent(Math.min(1, Math.max(0, share))));
  meter.style.setProperty("--colour", colour(label));
}

// --- Start --------------------------------------------------------------------------------------------------------

document.addEventListener("visibilitychange", tellWhetherWatched);
byId("range").onchange = () => timeline.showRange(Number(byId("range").value));
byId("filters").onchange = search;
setInterval(() => timeline.draw(), 5000);
document.addEventListener("keydown", (key) => { if (key.key === "Escape" && location.hash) enlarge(null); });
window.addEventListener("popstate", showEnlarged);
new ResizeObserver(fit).observe(byId("stage"));
setInterval(tickAll, 250);
connect();
