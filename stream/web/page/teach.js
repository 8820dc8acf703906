// The page that teaches. It asks the server for the state again and again, and shows it.

import { byId, setText } from "./dom.js";
import { openLink } from "./link.js";
import { NewestPicture, cameraOf } from "./pictures.js";
import { prepareCountdown, showCountdown } from "./teach_countdown.js";
import { showExamples } from "./teach_examples.js";
import { showResult } from "./teach_result.js";

const WHILE_BUSY = 250, WHILE_IDLE = 2000;   // ms between two looks at the state
const ORDINARY = { activity: null, number: 10, seconds: 60, pause: 0 };

let state = null;                  // the server's last one
let cameras = [];                  // of the last hello
let mayTeach = false;
let learnedBefore = null;          // the time of the result that there was when the learning began
let timer = 0;

// Ask the server. Return its answer, or null after a refusal, which is shown.
async function ask(method, path, body) {
  try {
    const answer = await fetch(`api/teaching${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    const content = await answer.json();
    if (answer.ok) return content;
    showProblem(content.detail);
  } catch (error) {
    if (method !== "GET") showProblem("The server did not answer. Try it again.");
  }
  return null;
}

async function look() {
  clearTimeout(timer);
  const seen = await ask("GET", "");
  if (seen) show(seen);
  timer = setTimeout(look, state?.recording || state?.learning ? WHILE_BUSY : WHILE_IDLE);
}

// Ask for a change, and show the state after it.
async function change(method, path, body) {
  showProblem(null);
  await ask(method, path, body);
  await look();
}

function show(seen) {
  const before = state;
  state = seen;
  if (state.problem && state.problem !== before?.problem) showProblem(state.problem);
  const isIdle = !state.recording && !state.learning, canTeach = mayTeach && !state.impossible;
  byId("impossible").hidden = canTeach;
  setText(byId("impossible"), state.impossible ?? "Only an operator may teach.");
  for (const button of document.querySelectorAll("main button:not(.play)")) button.disabled = !canTeach || !isIdle;
  byId("stop-learning").disabled = false;
  const short = state.activities.filter(({ examples }) => examples.length < state.fewest);
  byId("learn").disabled ||= state.activities.length === 0 || short.length > 0;
  setText(byId("enough"), enoughText(short));
  showExamples(state, remove);
  showLearning();
  showResult(state.learned);
  showCountdown(state.recording);
  if (Boolean(before?.learning) !== Boolean(state.learning)) focusAfterLearning(before);
}

// The button that was pressed cannot be pressed any more, so the focus moves to the next one.
function focusAfterLearning(before) {
  if (state.learning) {
    learnedBefore = before?.learned?.learned_at ?? null;
    return byId("stop-learning").focus();
  }
  const isNew = state.learned !== null && state.learned.learned_at !== learnedBefore;
  if (isNew) byId("result").scrollIntoView();
  byId(isNew ? "use" : "learn").focus({ preventScroll: isNew });
}

function enoughText(short) {
  if (state.activities.length === 0) return "Record examples first.";
  const missing = short.map(({ activity, examples }) => `${state.fewest - examples.length} more of ${activity}`);
  return missing.length ? `Needed first: ${missing.join(", ")}.` : "It takes seconds up to minutes. The cameras are watched meanwhile.";
}

function showLearning() {
  byId("learning").hidden = byId("stop-learning").hidden = !state.learning;
  const [, done, all] = /video (\d+) of (\d+)/.exec(state.learning ?? "") ?? [];
  if (done) Object.assign(byId("progress"), { max: Number(all), value: Number(done) });
  else byId("progress").removeAttribute("value");
  setText(byId("step"), state.learning ?? "");
}

function showProblem(text) {
  byId("problem").hidden = !text;
  setText(byId("problem"), text ?? "");
}

function remove(path, name) {
  if (confirm(`Delete ${name}?`)) change("DELETE", path);
}

function onHello(hello) {
  cameras = hello.cameras;
  mayTeach = hello.control;
  const chosen = byId("camera").value;
  byId("camera").replaceChildren(...cameras.map((camera) => new Option(camera.title, camera.name)));
  if (cameras.some((camera) => camera.name === chosen)) byId("camera").value = chosen;
  look();
}

const previews = [byId("preview"), byId("mirror")];
const newest = new NewestPicture((picture) => {
  for (const canvas of previews) {
    if (canvas.width !== picture.width) canvas.width = picture.width;
    if (canvas.height !== picture.height) canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
  }
});

function onPicture(buffer) {
  if (cameras.find(({ index }) => index === cameraOf(buffer))?.name === byId("camera").value) newest.show(buffer);
}

function record(plan) {
  prepareCountdown();
  change("POST", "/record", { ...plan, camera: byId("camera").value });
}

byId("record").onsubmit = (event) => {
  event.preventDefault();
  const [number, seconds, pause] = ["number", "seconds", "pause"].map((id) => byId(id).valueAsNumber);
  record({ activity: byId("activity").value.trim(), number, seconds, pause });
};
byId("record-ordinary").onclick = () => record(ORDINARY);
byId("learn").onclick = () => change("POST", "/learn", { camera: byId("camera").value });
for (const id of ["stop-recording", "stop-learning"]) byId(id).onclick = () => change("POST", "/stop");
byId("use").onclick = () => change("POST", "/use");
byId("discard").onclick = () => { if (confirm("Delete what was learned? The examples stay.")) change("POST", "/discard"); };
document.addEventListener("keydown", (key) => { if (key.key === "Escape" && state?.recording) change("POST", "/stop"); });
openLink((message) => { if (message.type === "hello") onHello(message); }, onPicture);
