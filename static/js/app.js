// Shows a clear message when a request fails, and keeps an answer from replacing a form that is about
// to be sent.

const messages = document.getElementById("messages");

function say(text, kind = "error") {
  if (messages.textContent === text) return;
  const line = document.createElement("p");
  line.className = `message message--${kind}`;
  line.textContent = text;
  messages.replaceChildren(line);
  messages.scrollIntoView({ block: "nearest" });
}

document.body.addEventListener("htmx:sendError", () => {
  say("Can't reach Storify. Check your connection and try again.");
  messages.dataset.passing = "yes";
});
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful || !messages.dataset.passing) return;
  messages.replaceChildren();
  delete messages.dataset.passing;
});
document.body.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401 || status === 403) say("Please sign in again, then try once more.");
  else if (status === 404) say("That story no longer exists.");
  else if (status === 503) say("Storify is temporarily unavailable. Please try again in a minute.");
  else if (status === 429) say("Too many requests. Wait a minute and try again.");
  else say("Something went wrong on our side. Please try again.");
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
