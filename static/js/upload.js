// Preview, drag and drop, a character counter, and the server's own error messages.

const form = document.getElementById("upload");
const input = document.getElementById("photo");
const drop = document.getElementById("drop");
const photo = document.getElementById("preview");
const video = document.getElementById("preview-video");
const title = document.getElementById("drop-title");
const hint = document.getElementById("drop-hint");
const errors = document.getElementById("upload-errors");
const progress = document.getElementById("upload-progress");
const bar = document.getElementById("upload-bar");
const words = document.getElementById("upload-words");
const firstHint = hint.textContent;

const isOneOf = (accept, file) =>
  accept
    .split(",")
    .some((kind) =>
      kind.startsWith(".") ? file.name.toLowerCase().endsWith(kind) : file.type === kind,
    );
const isPhoto = (file) => isOneOf(form.dataset.photoAccept, file);
const isVideo = (file) => isOneOf(form.dataset.videoAccept, file);

function complaint(file) {
  const { dataset } = form;
  if (file.size === 0) return dataset.empty;
  if (isVideo(file)) return file.size > Number(dataset.videoBytes) ? dataset.videoTooLarge : "";
  if (!isPhoto(file)) return dataset.wrongType;
  return file.size > Number(dataset.photoBytes) ? dataset.photoTooLarge : "";
}

function showError(text) {
  errors.replaceChildren();
  input.toggleAttribute("aria-invalid", Boolean(text));
  if (!text) return;
  const line = document.createElement("p");
  line.className = "error";
  line.textContent = text;
  errors.append(line);
}

const megabytes = (bytes) => `${Math.max(0.1, bytes / 1048576).toFixed(1)} MB`;

function show() {
  const [file] = input.files;
  const problem = file ? complaint(file) : "";
  showError(problem);
  if (problem) input.value = "";
  const chosen = file && !problem;
  drop.classList.toggle("has-photo", Boolean(chosen));
  title.textContent = chosen ? "Choose another" : "Choose a photo or video";
  hint.textContent = chosen ? `${file.name} · ${megabytes(file.size)}` : firstHint;
  for (const shown of [photo, video]) {
    if (shown.src) URL.revokeObjectURL(shown.src);
    shown.hidden = true;
    shown.removeAttribute("src");
    shown.load?.(); // stops a video from loading further
  }
  if (!chosen) return;
  const preview = isVideo(file) ? video : photo;
  preview.onload = preview.onloadeddata = () => {
    preview.hidden = !preview.hasAttribute("src");
  };
  video.onloadedmetadata = () => {
    // An unfinished recording doesn't know its duration; the server measures it.
    if (video.duration <= Number(form.dataset.videoSeconds) || video.duration === Infinity) return;
    input.value = "";
    show();
    showError(form.dataset.videoTooLong);
  };
  preview.onerror = () => {
    if (!preview.hasAttribute("src")) return;
    hint.textContent =
      `${file.name} · ${megabytes(file.size)}. ` +
      "This browser can't show a preview, but the upload will work.";
  };
  preview.src = URL.createObjectURL(file);
}

input.addEventListener("change", show);
for (const name of ["dragenter", "dragover"])
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
for (const name of ["dragleave", "drop"])
  drop.addEventListener(name, () => drop.classList.remove("is-over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  input.files = one.files;
  show();
});

const caption = document.getElementById("caption");
const counter = document.getElementById("caption-count");
const count = () => {
  counter.textContent = `${caption.value.length} / ${caption.maxLength}`;
};
caption.addEventListener("input", count);
count();

form.addEventListener("htmx:xhr:progress", ({ detail }) => {
  if (!detail.lengthComputable) return;
  progress.hidden = false;
  bar.value = (100 * detail.loaded) / detail.total;
  words.textContent = detail.loaded < detail.total ? "Sending…" : "Checking…";
});
form.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.xhr.getResponseHeader("HX-Redirect")) progress.hidden = true;
});
// Whoever comes back finds the page as it was left, and nothing under way.
addEventListener("pagehide", () => {
  progress.hidden = true;
});
if (input.files.length) show();
