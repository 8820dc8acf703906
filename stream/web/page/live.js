// The page of the live view. It shows what its link receives. External text is set only as textContent.

import { cameras, enlarge, onPicture, setCameras, showCamera, showEnlarged, tick } from "./cameras.js";
import { assignColours } from "./colours.js";
import { byId, setText } from "./dom.js";
import { onEvent, search, setEvents, tickEvents, timeline } from "./events.js";
import { fit } from "./layout.js";
import { openLink } from "./link.js";
import { forecastText, named } from "./camera_texts.js";
import { CLOCK } from "./formats.js";

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
  showOutputs(hello);
  showHome(hello.home);
  byId("teach").hidden = !hello.control;
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
}

byId("range").onchange = () => timeline.showRange(Number(byId("range").value));
byId("filters").onchange = search;
setInterval(() => timeline.draw(), 5000);
document.addEventListener("keydown", (key) => { if (key.key === "Escape" && location.hash) enlarge(null); });
window.addEventListener("popstate", showEnlarged);
new ResizeObserver(() => fit(cameras)).observe(byId("stage"));
setInterval(tickAll, 250);
openLink(onMessage, onPicture);
