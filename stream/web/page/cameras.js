// Shows the cards of the cameras with pictures, activities and states, and enlarges a camera.

import { STALLED, detailText, forecastText, headlineText, isOverloaded, isWarming, rateText } from "./camera_texts.js";
import { byId, setBar, setText } from "./dom.js";
import { fit } from "./layout.js";
import { duration, percent, readable } from "./formats.js";
import { showPeople } from "./people.js";
import { NewestPicture, cameraOf } from "./pictures.js";

export const cameras = [];         // in the order of the page: {view, card, parts, ...}
let lastHello = null;              // the server's last hello

// Show the cameras of a hello. The cards stay if the cameras are the same.
export function setCameras(hello) {
  const roster = ({ cameras: views }) => JSON.stringify(views.map((view) => [view.index, view.title]));
  const isSame = lastHello && roster(hello) === roster(lastHello);
  lastHello = hello;
  if (!isSame) buildCameras(hello.cameras);
  hello.cameras.forEach(showCamera);
  if (!isSame) showEnlarged();
}

function buildCameras(views) {
  cameras.length = 0;
  byId("stage").replaceChildren();
  byId("stage").toggleAttribute("data-only-one", views.length === 1);
  for (const view of views) {
    const card = byId("camera").content.firstElementChild.cloneNode(true);
    const part = (name) => card.querySelector(`.${name}`);
    const parts = Object.fromEntries(["backdrop", "picture", "name", "fps", "badge", "power", "enlarge", "activity", "sure",
      "lasts", "expected", "top", "boxes", "people"].map((name) => [name, part(name)]));
    const camera = { view, card, parts, received: 0, pictures: new NewestPicture((picture) => draw(camera, picture)) };
    parts.bar = part("now").querySelector(".meter");
    setText(parts.name, view.title);
    parts.enlarge.setAttribute("aria-label", `Enlarge ${view.title}`);
    parts.enlarge.onclick = () => enlarge(camera.card.dataset.enlarged === undefined ? camera : null);
    parts.power.hidden = !lastHello.control;
    parts.power.onclick = () => switchCamera(camera);
    cameras.push(camera);
    byId("stage").append(card);
  }
  fit(cameras);
}

// Return what people call a camera. A camera of the past has only its name.
export function titleOf(name) {
  return cameras.find(({ view }) => view.name === name)?.view.title ?? name;
}

export function showCamera(view) {
  const camera = cameraAt(view.index);
  if (!camera) return;
  const { card, parts } = camera;
  // A message about dropped frames has no new time, and is not a frame.
  if (!camera.received || view.time !== camera.view.time) camera.received = performance.now();
  camera.view = view;
  const isCalm = view.state !== "live" || view.activity === "unknown" || view.blind !== null;
  card.dataset.state = view.state;
  if (view.state === "disabled") delete card.dataset.pictured;
  card.toggleAttribute("data-calm", isCalm);
  card.toggleAttribute("data-overloaded", isOverloaded(view));
  const isOff = view.state === "disabled";
  parts.power.setAttribute("aria-pressed", String(isOff));
  parts.power.setAttribute("aria-label", `Switch ${view.title} ${isOff ? "on" : "off"}`);
  parts.power.title = parts.power.getAttribute("aria-label");
  setText(parts.activity, headlineText(view));
  parts.activity.title = view.activity;
  setText(parts.sure, percent(view.confidence));
  setBar(parts.bar, view.confidence, view.activity);
  parts.bar.style.setProperty("--threshold", percent(view.threshold));
  const scores = card.dataset.enlarged === undefined ? view.topk : lastHello.labels.map((label, index) => [label, view.scores[index]]);
  showCandidates(parts.top, view.state === "live" && view.topk.length > 0 ? scores : []);
  tick(camera);
  byId("overload").hidden = !cameras.some((other) => isOverloaded(other.view));
}

// Ask the server to switch the camera. The new state arrives over the socket, so this function shows only a refusal.
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

// The URL names the enlarged camera, so that a bookmark opens it, and Back shows all cameras.
export function enlarge(camera) {
  history.pushState(null, "", camera ? `#${encodeURIComponent(camera.view.name)}` : location.pathname);
  showEnlarged();
}

export function showEnlarged() {
  const chosen = cameras.find(({ view }) => `#${encodeURIComponent(view.name)}` === location.hash) ?? null;
  for (const camera of cameras) {
    camera.card.toggleAttribute("data-enlarged", camera === chosen);
    camera.card.hidden = chosen !== null && camera !== chosen;
    camera.parts.enlarge.setAttribute("aria-pressed", String(camera === chosen));
    showCamera(camera.view);
  }
  fit(cameras);
}

export function onPicture(buffer) {
  const camera = cameraAt(cameraOf(buffer));
  if (camera && camera.view.state !== "disabled") camera.pictures.show(buffer);
}

function draw(camera, picture) {
  if (camera.view.state === "disabled") return;
  const { picture: canvas, backdrop } = camera.parts;
  camera.card.dataset.pictured = "";
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    fit(cameras);
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
  backdrop.getContext("2d").drawImage(picture, 0, 0, backdrop.width, backdrop.height);
}

export function tick(camera) {
  const { view, card, parts } = camera;
  const silent = (performance.now() - camera.received) / 1000;
  const isStalled = view.state === "live" && silent > STALLED;
  const isBlind = view.state === "live" && view.blind !== null;
  const badge = isStalled ? "stalled" : isBlind ? view.blind : isWarming(view) ? "warming" : view.state;
  card.dataset.badge = badge;
  setText(parts.badge, badge === "warming" ? `WARMING ${view.warming[0]}/${view.warming[1]}` : badge.toUpperCase());
  setText(parts.lasts, isStalled ? `no frame for ${duration(silent)}` : detailText(camera));
  parts.lasts.title = parts.lasts.textContent;
  showPeople(camera);
  setText(parts.fps, isStalled ? "" : rateText(view));
  setText(parts.expected, view.state === "live" && view.forecast ? forecastText(view.forecast, card.dataset.enlarged !== undefined) : "");
}
