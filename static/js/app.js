// Shows a clear message when a request fails, and keeps an answer from replacing a form that is about
// to be sent.

const messages = document.getElementById("messages");

// The page's own requests, such as polls, have no event that triggered them. They repeat no message,
// and don't take away what somebody was told about a request of theirs, unless nothing was answered.
const isOwn = ({ requestConfig }) => !requestConfig.triggeringEvent;

function say(text, detail) {
  if (isOwn(detail) && messages.textContent === text) return;
  const line = document.createElement("p");
  line.className = "message message--error";
  line.textContent = text;
  messages.replaceChildren(line);
  messages.scrollIntoView({ block: "nearest" });
  messages.dataset.until = isOwn(detail) || !detail.xhr.status ? "any" : "theirs";
}

document.body.addEventListener("htmx:sendError", ({ detail }) =>
  say("Can't reach Storify. Check your connection and try again.", detail),
);
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  const { until } = messages.dataset;
  if (!detail.successful || !until || (until === "theirs" && isOwn(detail))) return;
  messages.replaceChildren();
  delete messages.dataset.until;
});
document.body.addEventListener("htmx:responseError", ({ detail }) => {
  const { status } = detail.xhr;
  // Signing in anew, in another window, makes the forms of this one invalid.
  if (status === 401 || status === 403)
    say("This page is out of date. Reload it and try again.", detail);
  else if (status === 404) say("That story no longer exists.", detail);
  else if (status === 503)
    say("Storify is temporarily unavailable. Please try again in a minute.", detail);
  else if (status === 429) say("Too many requests. Wait a minute and try again.", detail);
  else say("Something went wrong on our side. Please try again.", detail);
});

// A link in whose place comes what it loads hands its focus on to that.
document.body.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  const used = detail.requestConfig?.elt;
  if (used?.matches("a") && !used.isConnected && document.activeElement === document.body)
    target.querySelector("a, button")?.focus({ preventScroll: true });
});

// A change that is made while one before it is being sent waits for the answer (htmx queues it). That
// answer isn't shown: it would take the form away, and the change with it. The next answer has both.
document.addEventListener(
  "change",
  ({ target }) => {
    if (target.form?.matches(".htmx-request[hx-trigger^=change]")) target.form.dataset.waiting = "";
  },
  true,
);
document.body.addEventListener("htmx:beforeRequest", ({ target }) => delete target.dataset.waiting);
document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.querySelector("form[data-waiting]")) {
    detail.shouldSwap = false;
    detail.target.dataset.stale = "";
  } else delete detail.target.dataset.stale;
});
