// Returns the texts on a camera's card.

import { duration, percent, readable } from "./formats.js";

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

// Return the next expected activity. `isDetailed` adds the activity at each horizon. After the last horizon, the text is
// empty.
export function forecastText({ made_at, next, then }, isDetailed) {
  const now = Date.now() / 1000;
  if (now > made_at + Math.max(...then.map(([horizon]) => horizon))) return "";
  const named = (activity, share) => `${activity === "unknown" ? "no activity" : readable(activity)} ${percent(share)}`;
  const away = (time) => time > now ? `in ${duration(time - now)}` : "now";
  const words = next ? [`Next: ${named(next[0], next[1])}, ${away(next[2])}`] : [];
  if (isDetailed) words.push(...then.map(([horizon, activity, share]) => `${away(made_at + horizon)}: ${named(activity, share)}`));
  return words.join(" · ");
}
