// The credentials page: tabs, copying, masking, the profile's name, the old variable name, and wiping.
// A secret stands in the page and nowhere else: never in storage, in a closure or in the address.

const SESSION = "AWS_SESSION_TOKEN";
const LEGACY = "AWS_SECURITY_TOKEN"; // The session token's name for tools from before 2014.
const TAB_KEY = "credportal-tab";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (text) => document.dispatchEvent(new CustomEvent("portal:say", { detail: text }));

// Only the id of the chosen tab is remembered. Storage may be switched off, which must not matter.
const remembered = () => {
  try { return localStorage.getItem(TAB_KEY); } catch { return null; }
};
const remember = (id) => {
  try { localStorage.setItem(TAB_KEY, id); } catch { /* The tab is not remembered then. */ }
};

// Tabs: the panels are sections under each other until this runs.
const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
const pick = (desk, chosen) => {
  all("[role=tab]", desk).forEach((tab) => {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    panelOf(tab).hidden = tab !== chosen;
  });
  const key = chosen.id.replace("tab-", "");
  const unset = all(".unset", desk);
  unset.forEach((block) => { block.hidden = block.dataset.for !== key; });
  const after = desk.querySelector(".after");
  if (after) after.hidden = unset.every((block) => block.hidden);
};
const makeTabs = (desk) => {
  const tabs = all("[role=tab]", desk);
  tabs.forEach((tab) => {
    const panel = panelOf(tab);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
  });
  if (tabs.length) pick(desk, tabs.find((tab) => tab.id === remembered()) || tabs[0]);
};
const move = (event, tab) => {
  const desk = tab.closest(".desk");
  const tabs = all("[role=tab]", desk);
  const at = tabs.indexOf(tab);
  const step = getComputedStyle(desk).direction === "rtl" ? -1 : 1;
  const to = { ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = tabs.at(to % tabs.length);
  pick(desk, next);
  remember(next.id);
  next.focus();
};

// Masked values are not read aloud; their text stays, so that copying works.
const mask = (desk) => {
  const box = desk.querySelector(".show-secrets");
  const shown = Boolean(box && box.checked);
  desk.classList.toggle("revealed", shown);
  all(".secret", desk).forEach((el) => {
    if (shown) el.removeAttribute("aria-hidden");
    else el.setAttribute("aria-hidden", "true");
  });
};

const copy = async (button) => {
  const word = button.querySelector("[data-word]");
  const use = button.querySelector("use");
  const drawn = use.getAttribute("href");
  if (drawn.endsWith("#check")) return;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  } catch {
    say("Your browser would not copy. Show the secrets, select the text and copy it yourself.");
    return;
  }
  const old = word.textContent;
  say(`Copied: ${button.dataset.what}`);
  word.textContent = "Copied";
  use.setAttribute("href", drawn.replace(/#.*/, "#check"));
  setTimeout(() => {
    word.textContent = old;
    use.setAttribute("href", drawn);
  }, 2000);
};

// What a profile's name may hold: letters, digits and _ . @ + -, no hyphen at either end, 64 at most.
const rename = (input) => {
  const name = input.value.replace(/[^A-Za-z0-9_.@+-]+/g, "-").replace(/^-+/, "").slice(0, 64).replace(/-+$/, "");
  all("[data-profile]", input.closest(".desk")).forEach((el) => { el.textContent = name || input.defaultValue; });
};

// The old name is a second line with the same value, made from the first one and taken away again.
const addLegacy = (desk, add) => {
  all("[data-added]", desk).forEach((el) => el.remove());
  all("[data-snippet^=unset]", desk).forEach((el) => {
    if (el.dataset.plain === undefined) el.dataset.plain = el.textContent;
    const plain = el.dataset.plain;
    el.textContent = !add ? plain : plain
      .replace(`set "${SESSION}="`, `set "${SESSION}="\nset "${LEGACY}="`)
      .replace(new RegExp(`(,? )(Env:\\\\)?${SESSION}\\b(?!=)`), `$&$1$2${LEGACY}`);
  });
  if (!add) return;
  all(`[data-line="${SESSION}"]`, desk).forEach((line) => {
    const added = document.createElement("span");
    const twin = line.cloneNode(true);
    twin.dataset.line = LEGACY;
    twin.firstChild.data = twin.firstChild.data.replace(SESSION, LEGACY);
    added.dataset.added = "";
    added.append("\n", twin);
    line.after(added);
  });
};

const GONE = "You left this page, so nothing is kept here.";
const ENDED = "Ended. Nothing is kept here.";
// A session that was handed out cannot be renewed, so its page has no such button.
const renewable = (words) => words + (document.querySelector("[data-renew]") ? " Renew to get new ones." : "");
const wipe = (desk, state, words) => {
  if (desk.dataset.wiped) return;
  const lost = desk.contains(document.activeElement) && document.activeElement.closest("[data-copy], .under, .panel");
  desk.dataset.wiped = "true";
  desk.classList.add(state);
  all("[data-field], [data-snippet]:not([data-snippet^=unset])", desk).forEach((el) => { el.textContent = words; });
  all("[data-renew]", desk).forEach((el) => el.classList.add("main"));
  if (lost) desk.querySelector("h1").focus();
};

const init = () => all(".desk[data-session]:not([data-ready])").forEach((desk) => {
  desk.dataset.ready = "true";
  makeTabs(desk);
  mask(desk);
  if (desk.classList.contains("ended")) wipe(desk, "ended", ENDED);
});

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  const button = event.target.closest("[data-copy]");
  if (tab) {
    pick(tab.closest(".desk"), tab);
    remember(tab.id);
  }
  if (button) copy(button);
});
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) move(event, tab);
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-profile-input]")) rename(event.target);
});
document.addEventListener("change", (event) => {
  const desk = event.target.closest(".desk");
  if (event.target.matches("[data-legacy]")) addLegacy(desk, event.target.checked);
  if (desk) mask(desk);
});

const eachDesk = (act) => all(".desk[data-session]").forEach(act);
document.addEventListener("portal:ended", (event) => {
  if (!event.target.matches(".desk")) return;
  wipe(event.target, "ended", ENDED);
  say(renewable("These credentials have ended."));
});
addEventListener("pagehide", () => eachDesk((desk) => wipe(desk, "gone", renewable(GONE))));
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  eachDesk((desk) => wipe(desk, "gone", renewable(GONE)));
  if (document.querySelector(".desk.gone")) say(renewable(GONE));
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.shouldSwap) all(".desk[data-session]", event.detail.target).forEach((desk) => wipe(desk, "gone", renewable(GONE)));
});
document.addEventListener("htmx:afterSwap", init); // Before the first paint, so that no panel flashes.
init();
