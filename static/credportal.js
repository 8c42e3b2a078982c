// The page around the work: theme, announcements, search key, request forms, focus after a swap.
// Every action also works as a plain link or form. The other modules speak through "portal:say".

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const status = document.getElementById("status");
let speak;
let quiet;

// One polite voice for all modules: emptied first, so that the same words twice are spoken twice.
const hush = () => {
  clearTimeout(speak);
  clearTimeout(quiet);
  status.textContent = "";
};
const say = (text) => {
  hush();
  speak = setTimeout(() => { status.textContent = text; }, 50);
  quiet = setTimeout(hush, 5000);
};
document.addEventListener("portal:say", (event) => say(event.detail));

// Theme: a cookie, so that the server draws the right one from the first byte.
const showTheme = () => {
  const chosen = document.documentElement.dataset.theme || "";
  all("[data-set-theme]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen));
  });
};
const setTheme = (theme) => {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const secure = location.protocol === "https:" ? "; secure" : "";
  const life = theme ? 31536000 : 0;
  document.cookie = `theme=${theme}; path=/; max-age=${life}; samesite=lax${secure}`;
  showTheme();
};

// A role's request opens under its row. Without this script its link leads to a page of its own.
const openerOf = (ask) => document.querySelector(`[data-opens="${ask.id}"]`);
const showOpen = (opener, open) => {
  opener.setAttribute("aria-expanded", String(open));
  opener.querySelector("[data-word]").textContent = open ? "Close" : "Get credentials";
  opener.closest(".role").toggleAttribute("data-open", open);
};
const close = (opener) => {
  document.getElementById(opener.dataset.opens).replaceChildren();
  showOpen(opener, false);
  opener.focus();
};

// The sentence under a request follows the form.
const began = new WeakMap();
const describe = (seconds) => {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return [hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean).join(" ");
};
const timeIn = (zone, epoch) => {
  const format = { hour: "2-digit", minute: "2-digit", hour12: false };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...format, timeZone: zone }).format(epoch * 1000);
  } catch {
    return new Intl.DateTimeFormat("en-GB", format).format(epoch * 1000);
  }
};
const sumUp = (form) => {
  const chosen = form.querySelector("[name=duration]:checked");
  const minutes = form.elements.duration_minutes.value.trim();
  const custom = /^[0-9]{1,3}$/.test(minutes) ? Number(minutes) * 60 : 0;
  const seconds = chosen && chosen.value !== "custom" ? Number(chosen.value) : chosen && custom;
  const now = Number(form.dataset.now) + (performance.now() - began.get(form)) / 1000;
  const narrowed = all("input:checked[data-says], option:checked[data-says]", form).map((el) => `, ${el.dataset.says}`);
  form.querySelector("[data-sum=long]").textContent = seconds ? describe(seconds) : "…";
  form.querySelector("[data-sum=until]").textContent = seconds ? timeIn(form.dataset.zone, now + seconds) : "…";
  form.querySelector("[data-sum=narrowed]").textContent = narrowed.join("");
};

const init = () => {
  all("[data-needs-js]").forEach((el) => { el.hidden = false; });
  all("[data-opens]:not([aria-expanded])").forEach((opener) => {
    opener.setAttribute("aria-expanded", "false");
    opener.setAttribute("aria-controls", opener.dataset.opens);
  });
  all("[data-request]").forEach((form) => {
    if (!began.has(form)) began.set(form, performance.now());
    sumUp(form);
  });
};

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-request]");
  if (!form) return;
  if (event.target.name === "duration_minutes") form.querySelector("[name=duration][value=custom]").checked = true;
  sumUp(form);
});
setInterval(() => all("[data-request]").forEach((form) => began.has(form) && sumUp(form)), 15000);

document.addEventListener("click", (event) => {
  const theme = event.target.closest("[data-set-theme]");
  if (theme) setTheme(theme.dataset.setTheme);
  // A pointer on "Other" goes on to its field. Arrow keys (detail 0) stay among the choices.
  if (event.detail && event.target.matches("[name=duration][value=custom]")) event.target.form.elements.duration_minutes.focus();
  all(".who[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
// A link opened in a new tab is the browser's affair, not htmx's.
document.addEventListener("click", (event) => {
  if ((event.ctrlKey || event.metaKey || event.shiftKey) && event.target.closest("a[hx-get]")) event.stopPropagation();
}, true);
// Where the page shows no role list (an answer took its place), search waits for Enter.
["input", "search"].forEach((type) => document.addEventListener(type, (event) => {
  if (event.target.id === "q" && !document.getElementById("roles")) event.stopPropagation();
}, true));

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.getElementById("q");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
  if (event.key !== "Escape") return;
  const menu = event.target.closest(".who[open]");
  const role = event.target.closest(".role[data-open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (role) {
    close(role.querySelector("[data-opens]"));
  }
});

// Around htmx
const inRequest = new WeakSet();
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (elt.matches("[data-live]") && document.hidden) {
    event.preventDefault(); // Nobody looks: the next time is in three seconds.
  } else if (elt.matches("[data-opens][aria-expanded=true]")) {
    event.preventDefault();
    close(elt);
  } else if (elt.matches("[data-asks]")) {
    if (inRequest.has(elt)) event.preventDefault();
    inRequest.add(elt);
    all(".errors[data-sent]", elt).forEach((el) => el.remove());
    say("Asking AWS…");
  }
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "main") hush(); // An answer is here: nobody is asked any more.
  // An error page comes whole, also to htmx: take what stands in its main part.
  if (/^\s*<!doctype/i.test(event.detail.serverResponse)) event.detail.selectOverride = "#main > *";
});
document.addEventListener("htmx:afterRequest", (event) => {
  inRequest.delete(event.detail.elt);
});
document.addEventListener("htmx:afterSwap", init);
document.addEventListener("htmx:afterSettle", (event) => {
  const { target } = event.detail;
  if (event.detail.elt.matches("[data-favourite]")) {
    const starred = event.detail.elt.querySelector("[aria-pressed=true]");
    say(`${event.detail.elt.dataset.favourite} is ${starred ? "now" : "no longer"} a favourite.`);
  } else if (target.id === "main") {
    const titled = target.querySelector("[data-title]");
    if (titled) document.title = `${titled.dataset.title} · credportal`;
    (target.querySelector("[data-focus]") || target).focus();
  } else if (target.id.startsWith("ask-") && target.firstElementChild) {
    showOpen(openerOf(target), true);
    (target.querySelector("input:checked") || target.querySelector("input:not([type=hidden])")).focus();
    target.closest(".role").scrollIntoView({ block: "nearest" });
  } else if (target.id === "roles" || target.id === "found" || target.id === "rows") {
    const count = target.querySelector("[data-count]");
    if (count) say(count.textContent.trim().replace(/\s+/g, " "));
  }
});
// No answer at all: the network, or the portal. A form's one-time id makes sending it again safe.
const unanswered = (event) => {
  const form = event.detail.elt;
  if (!form.matches("[data-asks]")) {
    say("The portal did not answer. Try again in a moment.");
    return;
  }
  const box = document.createElement("p");
  box.className = "errors";
  box.dataset.sent = "";
  box.setAttribute("role", "alert");
  box.textContent = "The portal did not answer. Send it again: one form never gets credentials twice.";
  hush();
  form.insertBefore(box, form.querySelector(".sum, button").closest("form > *"));
  setTimeout(() => form.querySelector("button[type=submit]").focus());
};
document.addEventListener("htmx:sendError", unanswered);
document.addEventListener("htmx:timeout", unanswered);

// A fragment that leads to a sign-in goes on with its form: a redirect without one inherits it (Fetch, "HTTP-redirect
// fetch"). So a claim's link survives the sign-in, and no server sees its token.
all("form[data-keeps-fragment]").forEach((form) => {
  if (location.hash) form.action = form.action.replace(/#.*|$/, location.hash);
});

showTheme();
init();
// A page that answers a form by itself, without htmx, puts the focus where htmx would have.
const errors = document.querySelector(".errors[data-focus]");
if (errors) errors.focus();
