// A custom play button for each <audio>, and Spotify's player for tracks that are there. One track
// at a time, only on a click, and never together with a video.

const ICONS = {
  play: "M6.5 4.2v11.6c0 .8.9 1.3 1.6.8l8.9-5.8c.6-.4.6-1.2 0-1.6L8.1 3.4c-.7-.5-1.6 0-1.6.8z",
  pause: "M5.5 3.5h3v13h-3zM11.5 3.5h3v13h-3z",
  close: "m5.3 3.9 4.7 4.7 4.7-4.7 1.4 1.4-4.7 4.7 4.7 4.7-1.4 1.4-4.7-4.7-4.7 4.7-1.4-1.4L8.6 10 3.9 5.3z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function upgrade(audio) {
  if (audio.dataset.upgraded) return;
  audio.dataset.upgraded = "yes";
  const title = audio.dataset.title || audio.getAttribute("aria-label") || "this track";
  const known = Number(audio.dataset.milliseconds) / 1000 || 0;
  const length = () => (Number.isFinite(audio.duration) ? audio.duration : known);

  const player = document.createElement("div");
  player.className = "player";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "player__button";
  const seek = document.createElement("input");
  Object.assign(seek, { type: "range", className: "player__seek", min: 0, max: 1000, value: 0 });
  seek.setAttribute("aria-label", `Position in ${title}`);
  const time = document.createElement("span");
  time.className = "player__time";
  const line = document.createElement("span");
  line.className = "player__line";
  line.append(seek, time);
  const trouble = document.createElement("span");
  trouble.className = "player__trouble error";
  trouble.setAttribute("role", "status");

  function draw() {
    const playing = !audio.paused && !audio.ended;
    player.classList.toggle("is-playing", playing);
    if (playing) player.classList.add("is-started");
    button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${title}`);
    button.replaceChildren(icon(playing ? "pause" : "play"));
  }
  function drawTime() {
    const share = length() ? audio.currentTime / length() : 0;
    seek.value = Math.round(1000 * share);
    seek.style.setProperty("--played", `${100 * share}%`);
    seek.setAttribute("aria-valuetext", `${clock(audio.currentTime)} of ${clock(length())}`);
    time.textContent = `${clock(audio.currentTime)} / ${clock(length())}`;
  }
  button.addEventListener("click", () => {
    trouble.textContent = "";
    if (!audio.paused) audio.pause();
    else audio.play().catch(() => {});
  });
  seek.addEventListener("input", () => {
    if (length()) audio.currentTime = (Number(seek.value) / 1000) * length();
  });
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, draw);
  for (const name of ["timeupdate", "loadedmetadata", "seeked"])
    audio.addEventListener(name, drawTime);
  audio.addEventListener("waiting", () => player.classList.add("is-loading"));
  audio.addEventListener("playing", () => player.classList.remove("is-loading"));
  audio.addEventListener("error", () => {
    player.classList.remove("is-loading");
    trouble.textContent = "This track can't be played right now.";
    draw();
  });

  player.append(button, line, trouble);
  audio.controls = false;
  audio.after(player);
  draw();
  drawTime();
}

// Spotify's player is loaded when it's opened, and nothing from Spotify before.
function upgradeEmbed(embed) {
  if (embed.dataset.upgraded) return;
  embed.dataset.upgraded = "yes";
  const { title } = embed.dataset;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "player__button";
  embed.before(button);
  function draw() {
    const open = Boolean(embed.firstChild);
    button.setAttribute("aria-expanded", open);
    button.setAttribute("aria-label", `Spotify’s player for ${title}`);
    button.replaceChildren(icon(open ? "close" : "play"));
  }
  embed.addEventListener("close", () => {
    embed.replaceChildren();
    draw();
  });
  button.addEventListener("click", () => {
    if (embed.firstChild) return close(embed);
    stopOthers(embed);
    if (navigator.onLine) embed.append(frame(embed));
    embed.append(insteadOfPlayer(embed));
    draw();
  });
  draw();
}

function frame(embed) {
  const player = document.createElement("iframe");
  Object.assign(player, { src: embed.dataset.embed, width: "100%", height: 80 });
  Object.assign(player, { allow: "encrypted-media; clipboard-write" });
  Object.assign(player, { referrerPolicy: "strict-origin-when-cross-origin" });
  player.title = `Spotify’s player: ${embed.dataset.title}`;
  return player;
}

// A page can't tell whether a player from elsewhere was blocked, so the way round is always there.
function insteadOfPlayer(embed) {
  const line = document.createElement("p");
  line.className = "hint";
  line.setAttribute("role", "status");
  const link = document.createElement("a");
  Object.assign(link, { href: embed.dataset.page, rel: "noopener", target: "_blank" });
  link.textContent = "Open it on Spotify";
  const reason = navigator.onLine ? "No player here?" : "You’re offline, so the player can’t load.";
  line.append(`${reason} `, link);
  return line;
}

const close = (embed) => embed.dispatchEvent(new Event("close"));

function stopOthers(started) {
  for (const other of document.querySelectorAll("audio, video"))
    if (other !== started) other.pause();
  for (const embed of document.querySelectorAll(".embed:not(:empty)"))
    if (embed !== started) close(embed);
}

document.addEventListener("play", (event) => stopOthers(event.target), true);

function upgradeAll() {
  document.querySelectorAll("audio[controls]").forEach(upgrade);
  document.querySelectorAll(".embed").forEach(upgradeEmbed);
}
upgradeAll();
document.body.addEventListener("htmx:afterSwap", upgradeAll);

// Stops audio that is removed from the page.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "story")
    for (const audio of event.detail.target.querySelectorAll("audio")) audio.pause();
});
