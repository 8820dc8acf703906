// Keeps the WebSocket of the live view open, and shows in the bar whether it is. A page has one link.

import { byId, setText } from "./dom.js";

const SILENCE_LIMIT = 10_000;      // ms without a message; the server sends one at least every 4 s

let version = null;                // the server's version, from its first hello
let socket = null;
let attempt = 0;
let lastMessageAt = 0;
let handlers = null;

// Open the link. `onMessage` gets the parsed messages, hello ones included, and `onPicture` the buffers of pictures.
export function openLink(onMessage, onPicture) {
  handlers = { onMessage, onPicture };
  document.addEventListener("visibilitychange", reportVisibility);
  setInterval(closeIfSilent, 250);
  connect();
}

function connect() {
  socket = new WebSocket(new URL("live", location.href.replace(/^http/, "ws")));
  socket.binaryType = "arraybuffer";
  lastMessageAt = performance.now();
  socket.onopen = () => reportVisibility();
  socket.onmessage = ({ data }) => {
    lastMessageAt = performance.now();
    if (data instanceof ArrayBuffer) handlers.onPicture(data);
    else receive(JSON.parse(data));
  };
  socket.onclose = () => {
    const wait = Math.min(10_000, 500 * 2 ** attempt++) * (0.75 + Math.random() / 2);
    setLink("lost", "Connection lost, still retrying");
    setTimeout(reconnect, wait);
  };
}

function receive(message) {
  if (message.type === "hello") {
    if (version !== null && version !== message.version) return location.reload();
    version = message.version;
    attempt = 0;
    setLink("open", "Connected");
  }
  handlers.onMessage(message);
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

function closeIfSilent() {
  if (socket.readyState === WebSocket.OPEN && performance.now() - lastMessageAt > SILENCE_LIMIT) socket.close();
}
