// Notes and markers as files, and notes back from a file.
const COLOURS = { fix: "Red", good: "Green", "": "Yellow" };

function markers() {
  // Of shots with a flag or a note, of other shots below the goal, and of keys to paint next.
  const found = [];
  for (const shot of shots) {
    const { flag, text, frame } = noteOf(shot);
    const name = `Shot ${shot.number}`;
    if (flag || text) {
      found.push({ frame: frame - first, name: flag ? `${name}: ${flag}` : name, note: text, colour: COLOURS[flag] });
    } else if (shot.mean < goal && at("weak-too").checked) {
      found.push({ frame: shot.weakest, name: `${name}: low confidence`, note: confidence[shot.weakest].toFixed(2), colour: "Purple" });
    }
  }
  if (at("keys-too").checked) {
    for (const { frame, start, stop } of suggestions) {
      found.push({ frame, name: `Paint frame ${ofFilm(frame)}`, note: `a key for ${span(start, stop)}`, colour: "Blue" });
    }
  }
  return found.sort((one, other) => one.frame - other.frame);
}

const FILES = {
  "notes-json": [".notes.json", "application/json", () => JSON.stringify(notesFile(), null, 1) + "\n"],
  "notes-csv": [".notes.csv", "text/csv", notesCsv],
  "markers-edl": [".markers.edl", "text/plain", edl],
  "markers-csv": [".markers.csv", "text/csv", markersCsv],
  "markers-fcpxml": [".markers.fcpxml", "application/xml", fcpxml],
  "markers-xml": [".markers.xml", "application/xml", premiere],
};

for (const [id, [ending, type, write]] of Object.entries(FILES)) {
  at(id).addEventListener("click", () => {
    const begin = framesOf(at("begin").value);
    if (begin === null) {
      at("said").textContent = `${at("begin").value} is no timecode of ${BASE} frames a second, such as 01:00:00:00.`;
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([write(markers(), begin)], { type }));
    link.download = data.title + ending;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    at("said").textContent = `${data.title}${ending} is in your downloads.`;
  });
}

at("open").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", async () => {
  const [file] = at("file").files;
  at("file").value = "";
  if (!file) return;
  let count = null;
  try { count = take(JSON.parse(await file.text())); } catch { /* no JSON */ }
  at("said").textContent = count === null
    ? `${file.name} holds no notes of such a page.`
    : `Notes on ${count} shot${count === 1 ? "" : "s"} taken over.`;
  save();
  showNotes();
});
