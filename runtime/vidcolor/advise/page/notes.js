// Flags and notes on shots. They stay in this browser, under the names of the film and its output:
// a page that is made again, after another key, has them still.
const STORED = `vidcolor review: ${data.title} of ${data.film}`;
const FLAGS = ["", "fix", "good"];
const NONE = { flag: "", text: "", frame: null };
const LONGEST = 10000; // characters of a note
const notes = new Map(); // the film's number of a shot's first frame -> { flag, text, frame }

const noteOf = (shot) => notes.get(ofFilm(shot.start)) ?? NONE;

function note(shot, changed) {
  // `frame` is where the note was made, as the film counts.
  const made = { ...noteOf(shot), ...changed, frame: ofFilm(current) };
  if (made.flag || made.text) notes.set(ofFilm(shot.start), made);
  else notes.delete(ofFilm(shot.start));
  save();
  showNotes();
}

function save() {
  try {
    localStorage.setItem(STORED, JSON.stringify(notesFile()));
  } catch { // full, or not allowed by the browser's settings
    at("said").textContent = "This browser does not keep notes: export them before you leave.";
  }
}

function restore() {
  try {
    const kept = localStorage.getItem(STORED);
    if (kept) take(JSON.parse(kept));
  } catch { /* no notes, then */ }
}

function notesFile() {
  return {
    format: "vidcolor notes", version: 1, output: data.title, film: data.film,
    notes: shots.filter((shot) => notes.has(ofFilm(shot.start))).map((shot) => ({
      shot: shot.number, start: ofFilm(shot.start), stop: ofFilm(shot.stop),
      ...noteOf(shot), confidence: shot.mean,
    })),
  };
}

function take(content) {
  // Notes of a file, whoever wrote it. Returns how many are of shots that are here.
  if (content?.format !== "vidcolor notes" || !Array.isArray(content.notes)) return null;
  let count = 0;
  for (const given of content.notes) {
    const shot = shots.find(({ start }) => ofFilm(start) === given?.start);
    if (!shot || !FLAGS.includes(given.flag) || typeof given.text !== "string") continue;
    const inside = given.frame >= ofFilm(shot.start) && given.frame < ofFilm(shot.stop);
    const frame = Number.isInteger(given.frame) && inside ? given.frame : ofFilm(shot.start);
    notes.set(ofFilm(shot.start), { flag: given.flag, text: given.text.slice(0, LONGEST), frame });
    count++;
  }
  return count;
}

function notesCsv() {
  const titles = ["Shot", "First frame", "Last frame", "Time", "Flag", "Note", "Frame", "Confidence"];
  return csv([titles, ...notesFile().notes.map((given) => [
    given.shot, given.start, given.stop - 1, clock(times[given.start - first]), given.flag,
    given.text, given.frame, given.confidence.toFixed(2),
  ])]);
}

function showNotes() {
  const shot = shotOf(current), { flag, text } = noteOf(shot);
  at("note-of").textContent = `Shot ${shot.number}`;
  for (const name of ["fix", "good"]) at(name).setAttribute("aria-pressed", flag === name);
  if (at("note").value !== text) at("note").value = text;
  for (const row of document.querySelectorAll("#shots .row")) {
    const given = notes.get(ofFilm(Number(row.dataset.start))) ?? NONE;
    row.dataset.flag = given.flag;
    row.querySelector(".noted").textContent = given.text;
  }
  draw();
}

function flagAs(flag) {
  const shot = shotOf(current);
  note(shot, { flag: noteOf(shot).flag === flag ? "" : flag });
}
function nextFlag() {
  const shot = shotOf(current);
  note(shot, { flag: FLAGS[(FLAGS.indexOf(noteOf(shot).flag) + 1) % FLAGS.length] });
}
at("fix").addEventListener("click", () => flagAs("fix"));
at("good").addEventListener("click", () => flagAs("good"));
at("note").addEventListener("input", () => note(shotOf(current), { text: at("note").value }));
