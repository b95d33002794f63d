// Reviews by keyboard: shows the next photo at once, and sends the answers behind it.
// The keys are in the page: an element with data-key is chosen, pressed or focused by that key.

const AHEAD = 2;
const review = document.getElementById("review");
const stage = document.getElementById("review-stage");
const undo = document.getElementById("undo");
const messages = document.getElementById("messages");
const keyMap = document.getElementById("keys");
const singleKeys = document.getElementById("single-keys");

let current = stage.querySelector("form.item");
let nothing = null; // what the page shows when nothing is left
let shownAt = performance.now();
let arrow = ""; // the first of the two arrows that answer the mood
let line = Promise.resolve(); // requests go out one after the other
const ahead = [];
const onTheirWay = new Set();

// ---- Showing ----

function show(item) {
  current = item;
  arrow = "";
  shownAt = performance.now();
  item.classList.remove("is-ahead");
  item.inert = false;
  if (item.parentNode !== stage) stage.prepend(item);
  for (const other of [...stage.childNodes]) {
    if (ahead.includes(other)) hide(other);
    else if (other !== item) other.remove();
  }
  item.querySelector("[data-next-face]")?.removeAttribute("hidden");
  markFace();
  stage.focus({ preventScroll: true });
  scrollTo({ top: 0, behavior: "instant" });
}

// Laid out already, out of sight: showing it takes half as long.
function hide(item) {
  item.classList.add("is-ahead");
  item.inert = true;
  if (item.parentNode !== stage) stage.append(item);
}

function showNext() {
  if (ahead.length) return show(ahead.shift());
  current = null;
  stage.replaceChildren(nothing ?? document.createTextNode("Loading the next photo…"));
}

function say(text) {
  const words = document.createElement("p");
  words.className = "message message--error";
  words.textContent = text;
  messages.replaceChildren(words);
}

// ---- Faces, one after the other ----

const faces = () => [...(current?.querySelectorAll(".face-question") ?? [])];

function markFace() {
  const open = faces().findIndex((face) => face.open);
  current?.querySelectorAll("[data-box]").forEach((box, number) => {
    box.classList.toggle("is-current", number === open);
  });
}

function openFace(number) {
  const all = faces();
  if (all.length) all[(number + all.length) % all.length].open = true;
}

stage.addEventListener("toggle", markFace, true);
stage.addEventListener("change", ({ target }) => {
  const face = target.closest(".face-question");
  if (face) face.querySelector("[data-said]").textContent = wordsOf(target);
  current.querySelector("[data-save]").firstChild.textContent = "Save ";
});
const wordsOf = (input) => input.closest("label").querySelector(".option__words").textContent;

// ---- Sending ----

async function request(address, options) {
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
  const response = await fetch(address, { ...options, headers });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) location.assign(elsewhere);
  return response;
}

function leaveOut(data) {
  for (const item of [current, ...ahead]) if (item) data.append("besides", item.dataset.item);
  for (const id of onTheirWay) data.append("besides", id);
  return data;
}

// Puts what came into the page, and returns the item among it.
async function take(response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) {
    const place = document.getElementById(part.dataset.part);
    if (place !== messages || part.children.length) place.replaceChildren(...part.childNodes);
  }
  nothing = page.querySelector("[data-empty]");
  const item = page.querySelector("form.item");
  return item && document.adoptNode(item); // only then does its photo load
}

function keep(item) {
  if (!item) {
    if (!current) showNext();
  } else if (!current) show(item);
  else {
    ahead.push(item);
    hide(item);
    item.querySelector("img").decode().catch(() => {}); // loads the photo before it is shown
  }
}

function putBack(item, reason) {
  if (current) ahead.unshift(current);
  show(item);
  say(reason);
}

function problem(response) {
  if (response.status === 403) return review.dataset.refused;
  return response.ok || response.status === 409 || response.status === 422
    ? ""
    : review.dataset.broken;
}

function send(item, address) {
  const body = new FormData(item);
  body.set("seconds", ((performance.now() - shownAt) / 1000).toFixed(3));
  onTheirWay.add(item.dataset.item);
  messages.replaceChildren();
  showNext();
  line = line.then(painted).then(() => post(item, address, body)).then(refill);
}

// What is sent, and what comes back, never delays the photo that is shown meanwhile. Without a
// frame, as in a hidden tab, it goes out all the same.
function painted() {
  return new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
    setTimeout(done, 1000);
  });
}

async function post(item, address, body) {
  try {
    const response = await request(address, { method: "POST", body: leaveOut(body) });
    const reason = problem(response);
    if (reason) return putBack(item, reason);
    const next = await take(response);
    keep(next);
    if (response.status === 422) putBack(item, messages.textContent.trim());
  } catch {
    putBack(item, review.dataset.offline);
  } finally {
    onTheirWay.delete(item.dataset.item);
  }
}

async function refill() {
  if (nothing || ahead.length >= AHEAD) return;
  const queue = new URLSearchParams({ queue: review.dataset.queue });
  try {
    const response = await request(`${review.dataset.next}?${leaveOut(queue)}`);
    if (!response.ok) return;
    keep(await take(response));
  } catch {
    return; // the next answer asks again
  }
  await refill();
}

async function takeBack() {
  try {
    const body = leaveOut(new FormData(undo));
    const response = await request(undo.action, { method: "POST", body });
    const reason = problem(response);
    if (reason) return say(reason);
    const item = await take(response);
    if (!item?.hasAttribute("data-back")) return keep(item);
    if (current) ahead.unshift(current);
    nothing = null;
    show(item);
  } catch {
    say(review.dataset.offline);
  }
}

const answered = (item) => item.querySelector(":is([type=radio], [type=checkbox]):checked");

review.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target === undo) {
    messages.replaceChildren();
    line = line.then(takeBack);
    return;
  }
  const { submitter } = event;
  const skips = submitter?.hasAttribute("formaction");
  if (!skips && !answered(current)) return say(review.dataset.noAnswer);
  // Not `current.action`, which is the form's field of that name.
  send(current, skips ? submitter.formAction : current.getAttribute("action"));
});
addEventListener("beforeunload", (event) => {
  if (onTheirWay.size) event.preventDefault();
});

// ---- Keys ----

const keysOf = (element) => element?.dataset.key.split(" ") ?? [];
const isArrow = (key) => key.startsWith("Arrow");

// Of the two corners of the mood that an arrow may mean, the one on the side already chosen.
function corner(matches, key) {
  const chosen = [...current.elements[matches[0].name]].find((one) => one.checked);
  const side = keysOf(chosen).some(isArrow) ? keysOf(chosen) : [arrow];
  arrow = key;
  for (const one of matches) one.closest("label").classList.toggle("is-near", !chosen);
  return matches.find((one) => keysOf(one).some((other) => other !== key && side.includes(other)));
}

function meant(key) {
  const found = [...review.querySelectorAll(`[data-key~="${CSS.escape(key)}"]`)].filter(
    (one) => !one.closest("details:not([open]), .is-ahead"),
  );
  return found.length > 1 ? corner(found, key) : found[0];
}

function press(element) {
  if (element.matches("textarea")) return element.focus();
  element.click();
  if (element.type === "radio" && element.closest(".face-question")) nextFace(false);
}

function nextFace(around) {
  const open = faces().findIndex((face) => face.open);
  if (around || open + 1 < faces().length) openFace(open + 1);
}

// What the focused element does with a key by itself.
function isNative(target, key) {
  if (target.matches("textarea")) return true;
  if (target.matches("a, button, summary")) return key === "Enter" || key === "Space";
  if (target.matches("[type=radio], [type=checkbox]")) return key === "Space" || isArrow(key);
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  const { target } = event;
  if (target.matches("textarea") && event.key === "Escape") return stage.focus();
  const takesBack = event.ctrlKey && event.key === "z" && !target.matches("textarea");
  if (event.ctrlKey && !takesBack) return;
  const key = takesBack ? "Backspace" : event.key === " " ? "Space" : event.key;
  if (isNative(target, key) || (event.repeat && key !== "Backspace")) return;
  if (keyMap.matches(":popover-open") && key !== "?") return;
  if (!singleKeys.checked && key !== "Enter") return;
  const element = meant(key.length === 1 ? key.toLowerCase() : key);
  if (!element && !isArrow(key)) return;
  event.preventDefault();
  if (element) press(element);
});

stage.addEventListener("click", ({ target }) => {
  if (target.closest("[data-next-face]")) nextFace(true);
  const box = target.closest("[data-box]");
  if (box) openFace(Number(box.dataset.box));
});
// After a click the arrows answer the mood again, and don't move within what was clicked.
stage.addEventListener("pointerup", ({ target }) => {
  if (target.closest(".option")) setTimeout(() => stage.focus({ preventScroll: true }));
});

singleKeys.checked = localStorage.getItem("single-keys") !== "no";
singleKeys.addEventListener("change", () => {
  localStorage.setItem("single-keys", singleKeys.checked ? "yes" : "no");
});

if (current) show(current);
line = line.then(refill);
