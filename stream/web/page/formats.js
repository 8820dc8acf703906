// Formats times, shares and labels as text.

const DAY = { day: "numeric", month: "short" };
export const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

// Format a date, from the year 2001 on, as a time of day. The times of a replayed file start at 0.
export function clock(time) {
  return time > 1e9 ? new Date(time * 1000).toLocaleTimeString([], CLOCK) : duration(time);
}

// Format the date of an earlier day, which precedes its time in the list. Today gives an empty text.
export function day(time) {
  const date = new Date(time * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return time > 1e9 && !isToday ? `${date.toLocaleDateString([], DAY)}, ` : "";
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// Turn "TrampolineJumping" and "jump_rope" into "Trampoline jumping" and "Jump rope".
export function readable(label) {
  const words = label.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function percent(share) {
  return `${Math.round(100 * share)}%`;
}
