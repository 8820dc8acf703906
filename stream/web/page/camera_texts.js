// Returns the texts on a camera's card.

import { clock, duration, percent, readable } from "./formats.js";

export const STALLED = 3;          // seconds without a frame after which a connected camera is stalled

// Return the camera's current time in seconds: the time of its last frame plus the time since that frame arrived.
export function currentTime(camera) {
  const elapsed = (performance.now() - camera.received) / 1000;
  return camera.view.time + (camera.view.state === "live" ? Math.min(elapsed, STALLED) : 0);
}

export function isWarming(view) {
  return view.state === "live" && view.warming[0] < view.warming[1];
}

export function isOverloaded(view) {
  return view.dropping > 0 || view.behind > 0;
}

export function headlineText(view) {
  if (view.state === "offline") return "No signal";
  if (view.state === "disabled") return "Switched off";
  if (view.state === "connecting") return "Connecting";
  if (view.blind) return view.blind === "dark" ? "Nothing to see" : "The picture is frozen";
  if (view.activity !== "unknown") return readable(view.activity);
  return isWarming(view) ? "Getting ready" : "No activity";
}

export function detailText(camera) {
  const { view } = camera;
  if (view.state === "offline") return view.reason || "The signal was lost";
  if (view.state === "disabled") return "Switched off, no pictures are taken";
  if (view.state === "connecting") return view.reason || "Waiting for the camera";
  if (view.blind) return `for ${duration(currentTime(camera) - view.blind_since)}: ${view.hint}`;
  if (isWarming(view)) return view.hint || "Looking at the first frames";
  return view.since > 0 ? `for ${duration(currentTime(camera) - view.since)}` : "";
}

export function rateText(view) {
  if (view.state !== "live") return "";
  const fps = `${Math.round(view.fps)} fps`;
  if (view.dropping > 0) return `${fps}, ${percent(view.dropping)} dropped`;
  return view.behind > 0 ? `${fps}, ${duration(view.behind)} behind` : fps;
}

// Return what is expected next, or why that is not known. `isDetailed` adds the activities that are likely to begin soon.
export function forecastText(forecast, isDetailed) {
  const words = [unusualText(forecast.unusual), nextText(forecast)];
  if (isDetailed) words.push(...soonTexts(forecast.soon));
  return words.filter(Boolean).join(" · ");
}

function nextText({ next, next_reason }) {
  if (!next) return next_reason && `No forecast: ${next_reason}`;
  const [activity, probability, expectedAt] = next;
  const left = expectedAt - Date.now() / 1000;
  return `Next: ${named(activity)} ${percent(probability)}, ${left > 0 ? `in ${duration(left)}` : "now"}`;
}

// Return a text per horizon, in the order of the horizons.
function soonTexts(soon) {
  const texts = new Map();
  for (const [activity, probability, horizon] of soon) {
    const text = `${named(activity)} ${percent(probability)}`;
    texts.set(horizon, [...(texts.get(horizon) || []), text]);
  }
  return [...texts].map(([horizon, each]) => `within ${limit(horizon)}: ${each.join(", ")}`);
}

function limit(horizon) {
  return horizon < 60 ? duration(horizon) : `${Math.round(horizon / 60)} min`;
}

function unusualText(unusual) {
  if (!unusual) return "";
  const [kind, activity, since] = unusual;
  const what = kind === "lasts_long" ? "lasts unusually long, since" : "has not begun as usual, by";
  return `${named(activity)} ${what} ${clock(since)}`;
}

export function named(activity) {
  return activity === "unknown" ? "No activity" : readable(activity);
}
