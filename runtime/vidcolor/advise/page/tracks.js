// Confidence along the film and along a shot, with cuts, keys and suggestions.
class Track {
  // The confidence of the frames from `start` to before `stop`, which `range` gives.
  constructor(canvas, range) {
    this.canvas = canvas;
    this.range = range;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      jump(this.frame(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) jump(this.frame(event));
      this.tip(event);
    });
    canvas.addEventListener("pointerleave", () => { at("tip").hidden = true; });
  }

  frame(event) {
    const box = this.canvas.getBoundingClientRect();
    const [start, stop] = this.range();
    const place = (event.clientX - box.left) / box.width;
    return Math.max(start, Math.min(stop - 1, start + Math.floor(place * (stop - start))));
  }

  tip(event) {
    const frame = this.frame(event), tip = at("tip"), box = this.canvas.getBoundingClientRect();
    tip.textContent = `${ofFilm(frame)}  ·  ${confidence[frame].toFixed(2)}`;
    tip.hidden = false;
    const half = tip.offsetWidth / 2 + 4;
    tip.style.left = `${Math.max(half, Math.min(window.innerWidth - half, event.clientX))}px`;
    tip.style.top = `${box.top}px`;
  }

  draw() {
    const { canvas } = this, dpr = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth, high = canvas.clientHeight;
    canvas.width = Math.round(wide * dpr);
    canvas.height = Math.round(high * dpr);
    const pen = canvas.getContext("2d");
    pen.scale(dpr, dpr);
    const [start, stop] = this.range(), count = stop - start;
    const top = 14, base = high - 12;
    const across = (frame) => (frame - start) / count * wide;
    const up = (value) => base - (base - top) * value;

    // Columns as wide as a pixel or a frame; where a pixel holds many frames, their least.
    const columns = Math.min(count, wide);
    for (let column = 0; column < columns; column++) {
      const from = start + Math.floor(column * count / columns);
      const to = Math.max(from + 1, start + Math.floor((column + 1) * count / columns));
      let least = 1;
      for (let frame = from; frame < to; frame++) least = Math.min(least, confidence[frame]);
      const left = Math.round(across(from) * dpr) / dpr; // whole pixels leave no seams
      const right = Math.round(across(to) * dpr) / dpr;
      pen.fillStyle = colour(least < goal ? "weak" : "sure");
      pen.globalAlpha = 0.34;
      pen.fillRect(left, up(least), right - left, base - up(least));
      pen.globalAlpha = 1;
      pen.fillRect(left, up(least) - 0.75, right - left, 1.5);
    }

    if (second?.confidence) {
      pen.strokeStyle = colour("second");
      pen.beginPath();
      for (let column = 0; column < columns; column++) {
        const frame = start + Math.floor((column + 0.5) * count / columns);
        pen.lineTo(across(frame + 0.5), up(second.confidence[frame]));
      }
      pen.stroke();
    }
    pen.fillStyle = colour("dim");
    pen.globalAlpha = 0.55;
    for (let x = 0; x < wide; x += 7) pen.fillRect(x, up(goal) - 0.5, 3, 1);
    pen.globalAlpha = 1;
    for (const shot of shots) {
      if (shot.start > start && shot.start < stop) {
        pen.fillStyle = colour("ground");
        pen.fillRect(across(shot.start) - 1.5, 0, 3, high);
      }
    }
    for (const shot of shots) {
      const { flag } = noteOf(shot);
      if (flag && shot.start >= start && shot.start < stop) {
        pen.fillStyle = colour(flag);
        pen.fillRect(across(shot.start) + 3, 3, 8, 8);
      }
    }
    for (const suggestion of suggestions) {
      if (suggestion.frame >= start && suggestion.frame < stop) {
        diamond(pen, across(suggestion.frame + 0.5), base + 5, 4, null, colour("key"));
      }
    }
    for (const { frame } of keys) {
      if (frame >= start && frame < stop) {
        const x = across(frame + 0.5);
        pen.fillStyle = colour("key");
        pen.fillRect(x - 0.5, up(1), 1, base - up(1));
        diamond(pen, x, base + 5, 4, colour("key"), colour("key"));
      }
    }
    if (current >= start && current < stop) {
      const x = across(current + 0.5);
      pen.fillStyle = "#fff";
      pen.fillRect(x - 0.75, 4, 1.5, high - 4);
      pen.beginPath();
      pen.moveTo(x - 5, 2); pen.lineTo(x + 5, 2); pen.lineTo(x, 9);
      pen.fill();
    }
  }
}

function diamond(pen, x, y, reach, fill, line) {
  pen.beginPath();
  pen.moveTo(x, y - reach); pen.lineTo(x + reach, y); pen.lineTo(x, y + reach); pen.lineTo(x - reach, y);
  pen.closePath();
  if (fill) { pen.fillStyle = fill; pen.fill(); }
  pen.strokeStyle = line;
  pen.stroke();
}

const tracks = [
  new Track(at("film-track"), () => [0, last + 1]),
  new Track(at("shot-track"), () => { const shot = shotOf(current); return [shot.start, shot.stop]; }),
];

let due = false;
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; for (const track of tracks) track.draw(); });
}
