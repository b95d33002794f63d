// Moves the mood point by dragging or with the arrow keys; without scripts there are sliders.

const STEP = 0.02;
const SETTLED_MS = 700;
const clamp = (value) => Math.min(1, Math.max(0, value));
let refocus = false;

function place(handle, point) {
  handle.style.left = `${100 * point.valence}%`;
  handle.style.top = `${100 * (1 - point.energy)}%`;
  const words = (share, low, high) => `${Math.round(100 * share)} of 100 from ${low} to ${high}`;
  handle.setAttribute(
    "aria-label",
    `Mood point: ${words(point.valence, "sad", "happy")}, ` +
      `${words(point.energy, "calm", "intense")}. Move it with the arrow keys.`,
  );
}

function upgrade(plane) {
  if (plane.dataset.upgraded) return;
  plane.dataset.upgraded = "yes";
  const form = plane.closest("form");
  const inputs = { valence: form.elements.valence, energy: form.elements.energy };
  const point = () => ({
    valence: Number(inputs.valence.value),
    energy: Number(inputs.energy.value),
  });
  const shown = point();
  let sent = shown; // null after it couldn't be sent
  const handle = document.createElement("button");
  handle.type = "button";
  handle.className = "plane__handle";
  handle.id = "mood-handle";
  plane.append(handle);
  place(handle, shown);
  form.querySelector("[data-plane-hint]").hidden = false;

  let timer = 0;
  function move(to) {
    form.dataset.waiting = "";
    inputs.valence.value = clamp(to.valence);
    inputs.energy.value = clamp(to.energy);
    place(handle, point());
    plane.classList.add("is-moved");
  }
  function stop() {
    delete form.dataset.waiting;
    const story = form.closest("#story");
    if (!("stale" in story.dataset)) return;
    htmx.ajax("GET", location.href, { target: story, select: "#story > *", swap: "innerHTML" });
  }
  function settle(delay) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const now = point();
      if (now.valence === sent?.valence && now.energy === sent?.energy) return stop();
      sent = now;
      refocus = document.activeElement === handle;
      form.requestSubmit();
    }, delay);
  }
  form.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful) sent = null;
  });
  function under(event) {
    const box = plane.getBoundingClientRect();
    return {
      valence: (event.clientX - box.left) / box.width,
      energy: 1 - (event.clientY - box.top) / box.height,
    };
  }
  // A touch on the plane may be a scroll: only one on the point, or a tap, moves the point.
  const maybeScrolling = (event) => event.pointerType === "touch" && event.target !== handle;
  plane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || maybeScrolling(event)) return;
    event.preventDefault();
    plane.setPointerCapture(event.pointerId);
    clearTimeout(timer);
    handle.focus({ preventScroll: true });
    move(under(event));
  });
  plane.addEventListener("pointermove", (event) => {
    if (plane.hasPointerCapture(event.pointerId)) move(under(event));
  });
  plane.addEventListener("pointerup", (event) => {
    if (plane.hasPointerCapture(event.pointerId)) settle(0);
  });
  plane.addEventListener("click", (event) => {
    if (!maybeScrolling(event)) return;
    move(under(event));
    settle(0);
  });
  plane.addEventListener("pointercancel", () => {
    move(sent ?? shown);
    stop();
    plane.classList.remove("is-moved");
  });
  const keys = {
    ArrowLeft: [-STEP, 0],
    ArrowRight: [STEP, 0],
    ArrowUp: [0, STEP],
    ArrowDown: [0, -STEP],
  };
  handle.addEventListener("keydown", (event) => {
    const by = keys[event.key];
    if (!by) return;
    event.preventDefault();
    const now = point();
    move({ valence: now.valence + by[0], energy: now.energy + by[1] });
    settle(SETTLED_MS);
  });
  for (const input of Object.values(inputs))
    input.addEventListener("input", () => place(handle, point()));
}

// Highlights a track and its dot in the plane together.
function light(suggestion, on) {
  document.querySelectorAll(".is-lit").forEach((one) => one.classList.remove("is-lit"));
  if (!on) return;
  document
    .querySelectorAll(`[data-suggestion="${suggestion}"]`)
    .forEach((one) => one.classList.add("is-lit"));
}
for (const [name, on] of [
  ["pointerover", true],
  ["pointerout", false],
  ["focusin", true],
  ["focusout", false],
])
  document.addEventListener(name, (event) => {
    const part = event.target.closest?.("[data-suggestion]");
    if (part) light(part.dataset.suggestion, on);
  });

// Moves the focus to the undo button of a dismissed track, or back to a restored track.
document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
  const form = detail.requestConfig?.elt;
  const suggestion = form?.dataset?.dismiss || form?.dataset?.restore;
  if (!suggestion) return;
  const next = form.dataset.dismiss ? `undo-${suggestion}` : `save-${suggestion}`;
  document.getElementById(next)?.focus({ preventScroll: true });
});

function upgradeAll() {
  document.querySelectorAll("[data-plane]").forEach(upgrade);
  if (refocus) document.getElementById("mood-handle")?.focus({ preventScroll: true });
  refocus = false;
}
upgradeAll();
document.body.addEventListener("htmx:afterSwap", upgradeAll);

// Marks the saved track's dot together with its button; before htmx settles, a new button still has
// the old one's classes.
document.body.addEventListener("htmx:afterSettle", () => {
  for (const dot of document.querySelectorAll(".plane__dot")) {
    const saved = document.querySelector(`#actions-${dot.dataset.suggestion} .button--saved`);
    dot.classList.toggle("plane__dot--chosen", Boolean(saved));
    const listed = document.getElementById(`actions-${dot.dataset.suggestion}`);
    dot.classList.toggle("plane__dot--gone", !listed);
  }
});
