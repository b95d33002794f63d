// Preview, drag and drop, a counter, and the server's own words for what cannot be sent.

const form = document.getElementById("upload");
const input = document.getElementById("photo");
const drop = document.getElementById("drop");
const preview = document.getElementById("preview");
const title = document.getElementById("drop-title");
const hint = document.getElementById("drop-hint");
const errors = document.getElementById("upload-errors");
const progress = document.getElementById("upload-progress");
const bar = document.getElementById("upload-bar");
const words = document.getElementById("upload-words");
const firstHint = hint.textContent;

const KINDS = /\.(jpe?g|png|webp|heic|heif)$/i;
const TYPES = /^image\/(jpeg|png|webp|heic|heif)$/;

function complaint(file) {
  if (file.size === 0) return form.dataset.empty;
  if (file.size > Number(form.dataset.maxBytes)) return form.dataset.tooLarge;
  if (!TYPES.test(file.type) && !KINDS.test(file.name)) return form.dataset.wrongType;
  return "";
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
  title.textContent = chosen ? "Choose another photo" : "Choose a photo";
  hint.textContent = chosen ? `${file.name} · ${megabytes(file.size)}` : firstHint;
  if (preview.src) URL.revokeObjectURL(preview.src);
  preview.hidden = true;
  preview.removeAttribute("src");
  if (!chosen) return;
  preview.onload = () => {
    preview.hidden = false;
  };
  preview.onerror = () => {
    hint.textContent = `${file.name} · ${megabytes(file.size)}. This browser cannot show a preview, the upload works all the same.`;
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
  words.textContent = detail.loaded < detail.total ? "Sending your photo…" : "Checking your photo…";
});
form.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful) progress.hidden = true;
});
if (input.files.length) show();
