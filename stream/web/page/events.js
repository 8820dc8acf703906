// The list of events, its filters, and the timeline.

import { timeOf } from "./camera_words.js";
import { cameras } from "./cameras.js";
import { colour } from "./colours.js";
import { byId, setText } from "./dom.js";
import { Timeline } from "./timeline.js";
import { clock, day, duration, percent, readable } from "./words.js";

const EVENTS_KEPT = 200;

export const timeline = new Timeline(byId("timeline"), { colour, readable, duration, clock });
let searches = 0;
const heard = new Map();           // by id: the last events from the server, without filters
const events = new Map();          // by id: {event, row} of the events in the list

export function greetEvents(hello) {
  listLabels(hello);
  timeline.showCameras(hello.cameras.map((view) => view.name));
  offerFilters(hello);
  heard.clear();
  hello.events.forEach(hear);
  search();
  recall();
}

// Update the duration of each ongoing activity.
export function tickEvents() {
  for (const entry of events.values()) if (entry.event.event !== "end") tickEvent(entry);
}

export function onEvent(event) {
  hear(event);
  if (event.event === "start") setText(byId("spoken"), `${event.camera}: ${readable(event.activity)}`);
  if (isAskedFor(event)) showEvent(event);
}

function hear(event) {
  timeline.show(event);
  heard.set(event.id, event);
  if (heard.size > EVENTS_KEPT) heard.delete(heard.keys().next().value);
}

function listEvents(known) {
  events.clear();
  byId("events").replaceChildren();
  byId("nothing").hidden = known.length > 0 || isLookedFor();
  setText(byId("count"), isLookedFor() ? "nothing found" : "");
  known.forEach(showEvent);
}

// Return whether the event matches both filters. An empty filter matches everything.
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

// The history fills the timeline, and also the list if a filter is set. Without a history, both show only the events
// since the page was opened.
async function recall() {
  const asked = new URLSearchParams({ since: "24h", limit: "10000" });
  for (const event of await past(asked)) timeline.show(event);
  timeline.draw();
}

export async function search() {
  const mine = ++searches;
  const latest = () => [...heard.values()].filter(isAskedFor);
  listEvents(latest());
  if (!isLookedFor()) return;
  const asked = new URLSearchParams({ limit: String(EVENTS_KEPT) });
  for (const name of ["camera", "activity"]) if (byId(`of-${name}`).value) asked.set(name, byId(`of-${name}`).value);
  const found = await past(asked);
  if (mine !== searches) return;  // a newer search has started
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
  const isOngoing = event.event !== "end";
  row.classList.toggle("ongoing", isOngoing);
  row.dataset.event = event.event;
  row.style.setProperty("--colour", colour(event.activity));
  setText(row.querySelector(".what"), readable(event.activity));
  setText(row.querySelector(".where"), `${event.camera} · ${day(event.started_at)}${clock(event.started_at)}${isOngoing ? "" : ` – ${clock(event.ended_at)}`}`);
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

function tickEvent({ event, row }) {
  const camera = cameras.find(({ view }) => view.name === event.camera);
  const until = event.ended_at ?? Math.max(event.updated_at, camera ? timeOf(camera) : 0);
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
