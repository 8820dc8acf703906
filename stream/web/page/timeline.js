// Shows the activities of the last hours as coloured bars, one row per camera. The right end is the current time.

const MIN_WIDTH = 0.002;          // the smallest width of a bar, as a share of the range

export class Timeline {
  // `formats`: {colour, readable, duration, clock} of the page.
  constructor(root, formats) {
    this.rows = root.querySelector(".rows");
    this.axis = root.querySelector(".axis");
    this.formats = formats;
    this.range = 3600;             // seconds
    this.known = new Map();        // by id: {event, bar}
    this.tracks = new Map();       // by camera's name: {row, track, title}
  }

  // `views` have the cameras' names and titles.
  showCameras(views) {
    this.tracks.clear();
    this.rows.replaceChildren(...views.map(({ name, title }) => {
      const row = document.createElement("li");
      const head = document.createElement("span");
      const track = document.createElement("div");
      head.textContent = head.title = title;
      track.className = "track";
      row.append(head, track);
      this.tracks.set(name, { row, track, title });
      return row;
    }));
    for (const entry of this.known.values()) this.tracks.get(entry.event.camera)?.track.append(entry.bar);
    this.draw();
  }

  showRange(seconds) {
    this.range = seconds;
    this.draw();
  }

  // Show an event. Its times are seconds since the epoch, and ended_at is null while the activity lasts. Events of a
  // replay have no dates, and are not shown.
  show(event) {
    const known = this.known.get(event.id);
    if (event.started_at < 1e9 || (known && known.event.seq >= event.seq)) return;
    const bar = known?.bar ?? document.createElement("div");
    bar.className = "bar-of";
    bar.style.setProperty("--colour", this.formats.colour(event.activity));
    this.known.set(event.id, { event, bar });
    if (!known) this.tracks.get(event.camera)?.track.append(bar);
    this.place(bar, event, Date.now() / 1000);
    if (!known && event.person && !event.ended_at) this.stack(event.camera);  // past ones wait for the next draw
  }

  // Divide the row of a camera where people do something at the same time, so that no bar hides another.
  stack(camera) {
    const entries = [...this.known.values()].filter(({ event }) => event.camera === camera);
    entries.sort((one, other) => one.event.started_at - other.event.started_at);
    const ends = [];                // of the last bar in each lane of the group of bars that overlap
    let group = [];
    const close = () => group.forEach(({ bar, lane }) => {
      bar.style.top = `${100 * lane / ends.length}%`;
      bar.style.bottom = `${100 * (1 - (lane + 1) / ends.length)}%`;
    });
    for (const { event, bar } of entries) {
      if (ends.every((end) => end <= event.started_at)) {
        close();
        group = [];
        ends.length = 0;
      }
      const free = ends.findIndex((end) => end <= event.started_at);
      const lane = free < 0 ? ends.length : free;
      ends[lane] = event.ended_at ?? Infinity;
      group.push({ bar, lane });
    }
    close();
  }

  draw() {
    const now = Date.now() / 1000;
    const counts = new Map();
    for (const [id, { event, bar }] of this.known) {
      if ((event.ended_at ?? now) < now - 24 * 3600) {
        bar.remove();
        this.known.delete(id);
      } else if (this.place(bar, event, now)) {
        counts.set(event.camera, (counts.get(event.camera) ?? 0) + 1);
      }
    }
    for (const [name, { row, title }] of this.tracks) {
      const count = counts.get(name) ?? 0;
      row.setAttribute("aria-label", `${title}: ${count === 1 ? "1 activity" : `${count} activities`}`);
    }
    for (const camera of this.tracks.keys()) this.stack(camera);
    this.drawAxis(now);
  }

  // Set the bar's position. Return whether the event is within the range.
  place(bar, event, now) {
    const begin = now - this.range;
    const until = event.ended_at ?? now;
    const left = Math.max(0, (event.started_at - begin) / this.range);
    const right = Math.min(1, (until - begin) / this.range);
    bar.hidden = right <= 0;
    if (bar.hidden) return false;
    const width = Math.max(right - left, MIN_WIDTH);
    bar.style.left = `${100 * Math.min(left, 1 - width)}%`;
    bar.style.width = `${100 * width}%`;
    const { readable, clock, duration } = this.formats;
    const end = event.ended_at ? clock(event.ended_at) : "now";
    const who = event.person ? `Person ${event.person}: ` : "";
    bar.title = `${who}${readable(event.activity)}\n${clock(event.started_at)} – ${end}, ${duration(until - event.started_at)}`;
    return true;
  }

  // Draw about six marks at full minutes or hours of the day.
  drawAxis(now) {
    const step = [60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600].find((seconds) => this.range / seconds <= 8);
    const offset = 60 * new Date().getTimezoneOffset();
    const marks = [];
    for (let time = step * Math.ceil((now - this.range - offset) / step) + offset; time < now - 0.05 * this.range; time += step) {
      const mark = document.createElement("span");
      mark.textContent = new Date(1000 * time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      mark.style.left = `${100 * (1 - (now - time) / this.range)}%`;
      marks.push(mark);
    }
    this.axis.replaceChildren(...marks);
  }
}
