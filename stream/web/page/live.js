// The page of the live view. It reads a WebSocket and changes the DOM. External text is set only as textContent.

import { cameras, enlarge, onPicture, setCameras, showCamera, showEnlarged, tick } from "./cameras.js";
import { assignColours } from "./colours.js";
import { byId, setText } from "./dom.js";
import { onEvent, search, setEvents, tickEvents, timeline } from "./events.js";
import { fit } from "./layout.js";
import { forecastText, named } from "./camera_texts.js";
import { CLOCK } from "./formats.js";

const SILENCE_LIMIT = 10_000;      // ms without a message; the server sends one at least every 4 s

let version = null;                // the server's version, from its first hello
let socket = null;
let attempt = 0;
let lastMessageAt = 0;

function connect() {
  socket = new WebSocket(new URL("live", location.href.replace(/^http/, "ws")));
  socket.binaryType = "arraybuffer";
  lastMessageAt = performance.now();
  socket.onopen = () => reportVisibility();
  socket.onmessage = ({ data }) => {
    lastMessageAt = performance.now();
    if (data instanceof ArrayBuffer) onPicture(data);
    else onMessage(JSON.parse(data));
  };
  socket.onclose = () => {
    const wait = Math.min(10_000, 500 * 2 ** attempt++) * (0.75 + Math.random() / 2);
    setLink("lost", "Connection lost, still retrying");
    setTimeout(reconnect, wait);
  };
}

// A browser does not say why a WebSocket was refused. If the session is over, the server answers 401 to a plain request.
async function reconnect() {
  const status = await fetch("live.js", { method: "HEAD", cache: "no-store" }).then((answer) => answer.status, () => 0);
  if (status === 401) location.reload();
  else connect();
}

function setLink(state, words) {
  document.documentElement.dataset.link = state;
  setText(byId("link"), words);
}

function reportVisibility() {
  if (socket.readyState === WebSocket.OPEN) socket.send(document.hidden ? "rest" : "watch");
}

function onMessage(message) {
  if (message.type === "hello") onHello(message);
  else if (message.type === "camera") showCamera(message);
  else if (message.type === "event") onEvent(message);
  else if (message.type === "outputs") showOutputs(message);
  else if (message.type === "home") showHome(message.forecast);
}

function showOutputs(outputs) {
  byId("broker-offline").hidden = outputs.broker;
  byId("hanging").hidden = outputs.hanging.length === 0;
  setText(byId("hanging-names"), outputs.hanging.join(", "));
}

function showHome(forecast) {
  byId("home").hidden = !forecast;
  if (!forecast) return;
  setText(byId("home-now"), named(forecast.activity));
  setText(byId("home-expected"), forecastText(forecast, true));
}

function onHello(hello) {
  if (version !== null && version !== hello.version) return location.reload();
  version = hello.version;
  attempt = 0;
  setLink("open", "Connected");
  showOutputs(hello);
  showHome(hello.home);
  byId("logout").hidden = !hello.user;
  byId("logout").title = `Logged in as ${hello.user}`;
  setText(byId("about"), `${hello.model.name} ${hello.model.version} on ${hello.provider}`);
  byId("about").title = `harstream ${hello.version}`;
  assignColours(hello.labels);
  setCameras(hello);
  setEvents(hello);
}

function tickAll() {
  setText(byId("clock"), new Date().toLocaleTimeString([], CLOCK));
  cameras.forEach(tick);
  tickEvents();
  if (socket?.readyState === WebSocket.OPEN && performance.now() - lastMessageAt > SILENCE_LIMIT) socket.close();
}

document.addEventListener("visibilitychange", reportVisibility);
byId("range").onchange = () => timeline.showRange(Number(byId("range").value));
byId("filters").onchange = search;
setInterval(() => timeline.draw(), 5000);
document.addEventListener("keydown", (key) => { if (key.key === "Escape" && location.hash) enlarge(null); });
window.addEventListener("popstate", showEnlarged);
new ResizeObserver(() => fit(cameras)).observe(byId("stage"));
setInterval(tickAll, 250);
connect();
