// The form that hands out follows the chosen role, and a link that was shown once leaves the page with its reader.
// Everything here is a convenience: the server decides, and the form works without it.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// What the chosen role allows: the durations up to its longest, its narrowings, its ticket.
const limitOf = (role, form) => {
  const outside = form.querySelector("[name=to][value=outsider]:checked");
  return Number(outside ? role.dataset.longestOutsiders || role.dataset.longest : role.dataset.longest);
};
const keepDurations = (form, longest) => {
  const offers = all("[data-durations] input:not([value=custom])", form).filter((input) => input.name === "duration");
  offers.forEach((input) => {
    const seconds = Number(input.value);
    const label = input.closest("label");
    const odd = label.hasAttribute("data-odd") && seconds !== longest && !input.defaultChecked;
    label.hidden = seconds > longest || odd;
  });
  const chosen = form.querySelector("[name=duration]:checked");
  if (chosen && !(chosen.value !== "custom" && chosen.closest("label").hidden)) return;
  const fitting = offers.filter((input) => !input.closest("label").hidden);
  const usual = fitting.filter((input) => Number(input.value) <= 3600).pop() || fitting[0];
  if (usual) usual.checked = true;
};
const follow = (form) => {
  const role = form.querySelector("[name=role]:checked");
  if (!role) return;
  keepDurations(form, limitOf(role, form));
  const offers = role.dataset.offers.split(" ");
  all("[data-offer]", form).forEach((el) => {
    el.hidden = !offers.includes(el.dataset.offer);
    if (!el.hidden) return;
    all("input", el).forEach((input) => { input.checked = false; });
    all("select", el).forEach((select) => { select.value = ""; });
  });
  form.querySelector("#narrowing").hidden = !role.dataset.offers;
  const ticket = form.elements.ticket;
  ticket.required = "ticket" in role.dataset;
  ticket.placeholder = role.dataset.ticket || "INC-1234";
  form.querySelector("[data-ticket-needed]").textContent = ticket.required ? "(needed)" : "(optional)";
  const where = role.closest(".pick").querySelector(".where").cloneNode(true);
  form.querySelector("[data-sum-role]").replaceChildren(...where.childNodes);
};
const search = (input) => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  all(".picks > li", input.form).forEach((item) => {
    const text = item.dataset.words.toLowerCase();
    item.hidden = !words.every((word) => text.includes(word)) && !item.querySelector(":checked");
  });
};

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-hand-out]");
  if (form) follow(form);
});
document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-hand-out]");
  if (!form) return;
  if (event.target.matches("[data-role-search]")) search(event.target);
  if (event.target.name === "duration_minutes") form.querySelector("[name=duration][value=custom]").checked = true;
});
document.addEventListener("keydown", (event) => {
  // Enter in the search of the roles must not send the form.
  if (event.key === "Enter" && event.target.matches("[data-role-search]")) event.preventDefault();
});

// Link, code and drawing stand in the page and nowhere else. Whoever leaves takes none of them along.
const wipe = (made) => {
  if (made.dataset.wiped) return;
  made.dataset.wiped = "true";
  all("[data-once]", made).forEach((el) => el.replaceChildren());
  all("[data-copy]", made).forEach((button) => button.remove());
  all("[data-before-gone]", made).forEach((el) => { el.hidden = true; });
  all("[data-after-gone]", made).forEach((el) => { el.hidden = false; });
};
const wipeAll = (root = document) => all("[data-made]", root).forEach(wipe);
addEventListener("pagehide", () => wipeAll());
addEventListener("pageshow", (event) => { if (event.persisted) wipeAll(); });
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.shouldSwap) wipeAll(event.detail.target);
});

// What could be done may go away under somebody's hands: then the focus goes to the heading, and is not lost.
let acting = false;
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  acting = event.detail.target.contains(document.activeElement) && document.activeElement !== document.body;
});
document.addEventListener("htmx:oobAfterSwap", () => {
  if (acting) document.getElementById("handout-h").focus();
  acting = false;
});

// What has changed is said once. The countdown beside it is no news, so the region itself is not a live one.
const tell = () => {
  const now = document.getElementById("handout-now");
  if (!now) return;
  const words = all(".out, .handout-mark", now).map((el) => el.textContent.trim().replace(/\s+/g, " "));
  document.dispatchEvent(new CustomEvent("portal:say", { detail: words.join(". ") }));
};

const init = () => all("[data-hand-out]").forEach(follow);
document.addEventListener("htmx:afterSwap", (event) => {
  init();
  if (event.detail.target.id === "handout-now") tell();
});
init();
