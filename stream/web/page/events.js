// Shows the list of events and its filters, and fills the timeline.

import { currentTime } from "./camera_texts.js";
import { cameras, titleOf } from "./cameras.js";
import { colour } from "./colours.js";
import { byId, setText } from "./dom.js";
import { Timeline } from "./timeline.js";
import { clock, day, duration, percent, readable } from "./formats.js";

const EVENTS_KEPT = 200;

export const timeline = new Timeline(byId("timeline"), { colour, readable, duration, clock });
let searches = 0;
const recent = new Map();          // by id: the last events from the server, without filters
const events = new Map();          // by id: {event, row} of the events in the list

export function setEvents(hello) {
  listLabels(hello);
  timeline.showCameras(hello.cameras);
  fillFilters(hello);
  recent.clear();
  hello.events.forEach(remember);
  search();
  loadTimeline();
}

// Update the duration of each ongoing activity.
export function tickEvents() {
  for (const entry of events.values()) if (entry.event.event !== "end") tickEvent(entry);
}

export function onEvent(event) {
  remember(event);
  if (event.event === "start") setText(byId("spoken"), `${placeOf(event).join(", ")}: ${readable(event.activity)}`);
  if (matchesFilters(event)) showEvent(event);
}

function remember(event) {
  timeline.show(event);
  recent.set(event.id, event);
  if (recent.size > EVENTS_KEPT) recent.delete(recent.keys().next().value);
}

function listEvents(known) {
  events.clear();
  byId("events").replaceChildren();
  byId("nothing").hidden = known.length > 0 || isFiltered();
  setText(byId("count"), isFiltered() ? "nothing found" : "");
  known.forEach(showEvent);
}

// Return whether the event matches both filters. An empty filter matches everything.
function matchesFilters(event) {
  const [camera, activity] = [byId("of-camera").value, byId("of-activity").value];
  return (!camera || event.camera === camera) && (!activity || event.activity === activity);
}

function isFiltered() {
  return byId("of-camera").value !== "" || byId("of-activity").value !== "";
}

function fillFilters(hello) {
  const activities = hello.labels.filter((label) => !hello.background.includes(label));
  fillSelect(byId("of-camera"), "All cameras", hello.cameras.map((view) => [view.name, view.title]));
  fillSelect(byId("of-activity"), "All activities", activities.map((label) => [label, readable(label)]));
}

function fillSelect(select, all, choices) {
  const chosen = select.value;
  select.replaceChildren(...[["", all], ...choices].map(([value, text]) => new Option(text, value)));
  select.value = choices.some(([value]) => value === chosen) ? chosen : "";
}

// Fill the timeline from the history. Without a history, it shows only the events since the page was opened.
async function loadTimeline() {
  const query = new URLSearchParams({ since: "24h", limit: "10000" });
  for (const event of await fetchEvents(query)) timeline.show(event);
  timeline.draw();
}

// List the events that match the filters. A set filter searches the history, too.
export async function search() {
  const number = ++searches;
  const latest = () => [...recent.values()].filter(matchesFilters);
  listEvents(latest());
  if (!isFiltered()) return;
  const query = new URLSearchParams({ limit: String(EVENTS_KEPT) });
  for (const name of ["camera", "activity"]) if (byId(`of-${name}`).value) query.set(name, byId(`of-${name}`).value);
  const found = await fetchEvents(query);
  if (number !== searches) return;  // a newer search has started
  listEvents([...found.reverse(), ...latest()]);
}

async function fetchEvents(query) {
  const answer = await fetch(`api/events?${query}`).catch(() => null);
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
  const isOngoing = event.event !== "end";
  row.classList.toggle("ongoing", isOngoing);
  row.dataset.event = event.event;
  row.style.setProperty("--colour", colour(event.activity));
  setText(row.querySelector(".what"), readable(event.activity));
  setText(row.querySelector(".where"), [...placeOf(event), `${day(event.started_at)}${clock(event.started_at)}${isOngoing ? "" : ` – ${clock(event.ended_at)}`}`].join(" · "));
  setText(row.querySelector(".sure"), percent(event.confidence));
  row.title = event.end_reason ? `${event.activity}, ended: ${event.end_reason.replaceAll("_", " ")}` : event.activity;
  tickEvent({ event, row });
  setText(byId("count"), events.size === 1 ? "1 activity" : `${events.size} activities`);
  byId("nothing").hidden = true;
}

// Return the camera, and the person if the camera follows people.
function placeOf({ camera, person }) {
  return [titleOf(camera), ...(person ? [`Person ${person}`] : [])];
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

function tickEvent({ event, row }) {
  const camera = cameras.find(({ view }) => view.name === event.camera);
  const until = event.ended_at ?? Math.max(event.updated_at, camera ? currentTime(camera) : 0);
  setText(row.querySelector(".lasted"), duration(until - event.started_at));
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
