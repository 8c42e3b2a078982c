// Countdowns run from the server's remaining seconds, never from the laptop's idea of the time.
// They never show more than is left: performance.now() may stand still while a machine sleeps and
// the wall clock may be set back, so the larger of the two distances counts.

const WARN_AT = [10, 5, 1]; // minutes
const SOON = 600; // seconds
const clocks = new WeakMap();

const say = (text) => document.dispatchEvent(new CustomEvent("portal:say", { detail: text }));
const two = (number) => String(number).padStart(2, "0");

// What came with the page was counted when the answer began; what came by a swap, just now.
const start = (time, withPage) => {
  const answer = withPage && performance.getEntriesByType("navigation")[0];
  const since = answer ? answer.responseStart : performance.now();
  const clock = {
    from: Number(time.dataset.secondsLeft),
    since,
    date: Date.now() - (performance.now() - since),
    elapsed: 0,
    last: Infinity,
  };
  clocks.set(time, clock);
  return clock;
};

const show = (left) => {
  const hours = Math.floor(left / 3600);
  const minutes = Math.floor(left / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${minutes}:${two(left % 60)}`;
};

const tick = (withPage = false) => document.querySelectorAll("[data-countdown]").forEach((time) => {
  const clock = clocks.get(time) || start(time, withPage);
  clock.elapsed = Math.max(clock.elapsed, performance.now() - clock.since, Date.now() - clock.date);
  const left = Math.max(0, Math.floor(clock.from - clock.elapsed / 1000));
  if (left === clock.last) return;
  time.textContent = show(left);
  const box = time.closest("[data-session]");
  if (box) follow(box, left, clock.last);
  clock.last = left;
});

const follow = (box, left, last) => {
  const bar = box.querySelector("progress");
  if (bar) bar.value = left;
  box.classList.toggle("soon", left <= SOON && left > 0);
  const stage = box.querySelector("[data-issuance]");
  const due = WARN_AT.filter((minutes) => last > minutes * 60 && left <= minutes * 60).pop();
  if (stage && due && left && last !== Infinity) say(`These credentials end in ${due} min.`);
  if (left || last === 0) return;
  box.classList.add("ended");
  box.querySelectorAll("[data-state], [data-ends]").forEach((el) => { el.textContent = "Ended"; });
  box.dispatchEvent(new CustomEvent("portal:ended", { bubbles: true }));
};

tick(true);
setInterval(tick, 1000);
document.addEventListener("htmx:afterSwap", () => tick());
document.addEventListener("visibilitychange", () => tick());
addEventListener("pageshow", () => tick());
