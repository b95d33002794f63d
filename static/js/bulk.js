// A list to accept: how many are ticked, and a button that ticks all or none.

const list = document.getElementById("bulk");
const boxes = [...list.querySelectorAll("[name=item]")];
const accept = document.getElementById("bulk-accept");
const all = document.getElementById("bulk-all");

function count() {
  const ticked = boxes.filter((box) => box.checked).length;
  accept.textContent = `Accept ${ticked} …`;
  accept.disabled = ticked === 0;
  all.textContent = ticked ? "Tick none" : "Tick all";
}

all.hidden = false;
all.addEventListener("click", () => {
  const ticked = boxes.some((box) => box.checked);
  for (const box of boxes) box.checked = !ticked;
  count();
});
list.addEventListener("change", count);
addEventListener("pageshow", count); // the browser may bring earlier ticks back
