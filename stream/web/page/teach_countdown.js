// Shows over the whole screen what is recorded now, for a person who stands three metres away, and sounds when it begins.

import { byId, setText } from "./dom.js";

const HIGH = 880, LOW = 440;       // hertz: an example begins, and ends
let sound = null;                  // an AudioContext; browsers allow one only after a click
let phase = null;                  // the last one
let focused = null;                // what had the focus before

// Prepare the sound, and remember the focus. Call it during a click.
export function prepareCountdown() {
  focused = document.activeElement;
  sound ??= new AudioContext();
  sound.resume();
}

// `recording`: the server's, or null.
export function showCountdown(recording) {
  const screen = byId("countdown"), wasHidden = screen.hidden;
  screen.hidden = !recording;
  for (const part of document.querySelectorAll("main, header")) part.inert = Boolean(recording);
  if (wasHidden !== screen.hidden) (recording ? byId("stop-recording") : focused)?.focus();
  soundAt(recording?.phase ?? null);
  if (!recording) return;
  screen.dataset.phase = recording.phase;
  const what = recording.activity ?? "Ordinary footage";
  setText(byId("which"), `${what}: ${recording.done + 1} of ${recording.number}`);
  setText(byId("left"), recording.phase === "waiting" ? "…" : String(recording.seconds));
  setText(byId("phase"), { waiting: "Waiting for the camera", pause: "Get ready", recording: "Recording" }[recording.phase]);
}

function soundAt(now) {
  if (now === "recording" && phase !== now) beep(HIGH);
  if (now !== "recording" && phase === "recording") beep(LOW);
  phase = now;
}

function beep(hertz) {
  if (!sound) return;
  const tone = new OscillatorNode(sound, { frequency: hertz });
  const volume = new GainNode(sound, { gain: 0.2 });
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.25);
}
