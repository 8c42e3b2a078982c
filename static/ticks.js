// A long list of ticks: finding some by words, and how many each part has. Without this script the parts still open
// and close, and the browser's own search looks into them.

const all = (selector, root) => [...root.querySelectorAll(selector)];
const say = (text) => document.dispatchEvent(new CustomEvent("portal:say", { detail: text }));
const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

const count = (group) => {
  group.querySelector("[data-ticks-count]").textContent = all("input:checked", group).length;
};

const find = (box, opened) => {
  const words = plain(box.querySelector("[data-ticks-find]").value).split(/\s+/).filter(Boolean);
  let found = 0;
  all("[data-ticks-group]", box).forEach((group) => {
    const lines = all("[data-ticks-words]", group);
    lines.forEach((line) => {
      const said = plain(line.dataset.ticksWords);
      line.hidden = !words.every((word) => said.includes(word));
    });
    const shown = lines.filter((line) => !line.hidden).length;
    found += shown;
    group.hidden = !shown;
    group.open = words.length ? true : opened.has(group);
  });
  box.querySelector("[data-ticks-none]").hidden = found > 0;
  if (words.length) say(`${found} ${found === 1 ? "role" : "roles"}`);
};

all("[data-ticks]", document).forEach((box) => {
  const input = box.querySelector("[data-ticks-find]");
  const opened = new Set(all("[data-ticks-group][open]", box));
  input.parentElement.hidden = false;
  input.addEventListener("input", () => find(box, opened));
  // Enter would send the form, which nobody who looks for a role means.
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  box.addEventListener("change", (event) => {
    const group = event.target.closest("[data-ticks-group]");
    if (!group) return;
    count(group);
    opened.add(group);
  });
});
