// Lists the examples of each activity, and plays and deletes them.

import { byId, setText } from "./dom.js";

let shown = "";                    // what the list is made of, as JSON
let playing = null;                // the path of the video

// `remove(path, name)` deletes the video at this path of the API.
export function showExamples(state, remove) {
  const content = JSON.stringify([state.activities, state.ordinary]);
  if (content !== shown) {
    shown = content;
    build(state, remove);
  }
}

function build(state, remove) {
  const groups = state.activities.map(({ activity, examples }) => ({
    name: activity,
    number: examples.length < state.fewest ? `${examples.length} of at least ${state.fewest}` : `${examples.length} examples`,
    videos: examples.map((file) => ["examples", activity, file]),
  }));
  const videos = state.ordinary.map((file) => ["ordinary", file]);
  if (videos.length) groups.push({ name: "Ordinary footage", number: `${videos.length} videos`, videos });
  byId("no-examples").hidden = groups.length > 0;
  byId("examples").replaceChildren(...groups.map((group) => groupOf(group, remove)));
  byId("known").replaceChildren(...state.activities.map(({ activity }) => new Option(activity)));
  const paths = groups.flatMap((group) => group.videos.map(pathOf));
  if (!paths.includes(playing)) hideVideo();
}

function groupOf({ name, number, videos }, remove) {
  const group = byId("group").content.firstElementChild.cloneNode(true);
  setText(group.querySelector(".name"), name);
  setText(group.querySelector(".number"), number);
  group.querySelector("ul").append(...videos.map((parts) => itemOf(name, parts, remove)));
  return group;
}

function itemOf(name, parts, remove) {
  const item = byId("example").content.firstElementChild.cloneNode(true);
  const [play, discard] = item.children;
  const text = fileText(parts.at(-1)), path = pathOf(parts);
  setText(play, text);
  play.setAttribute("aria-label", `Play ${name}, ${text}`);
  play.onclick = () => showVideo(path);
  discard.setAttribute("aria-label", `Delete ${name}, ${text}`);
  discard.title = discard.getAttribute("aria-label");
  discard.onclick = () => remove(path, `${name}, ${text}`);
  return item;
}

const pathOf = (parts) => `/${parts.map(encodeURIComponent).join("/")}`;

// Turn "hall_2026-11-30_16-38-04.mp4" into "hall, Nov 30, 16:38:04". Other names stay.
function fileText(file) {
  const [, camera, date, ...time] = /^(.+)_(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)/.exec(file) ?? [];
  if (!camera) return file;
  const day = new Date(`${date}T12:00:00`).toLocaleDateString([], { day: "numeric", month: "short" });
  return `${camera}, ${day}, ${time.join(":")}`;
}

function showVideo(path) {
  playing = path;
  const video = byId("video");
  video.hidden = false;
  video.src = `api/teaching${path}`;
  video.play().catch(() => {});    // another video was chosen meanwhile
  video.scrollIntoView({ block: "nearest" });
}

function hideVideo() {
  playing = null;
  byId("video").hidden = true;
  byId("video").removeAttribute("src");
}
