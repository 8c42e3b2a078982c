// The claim page. A link's token stands in its fragment, which no server and no log sees; here it goes into the form
// that looks at it. Looking changes nothing, so whatever opens links ahead of people uses nothing up.

const LINK = /^#[A-Za-z0-9_-]{43}$/;

const look = () => {
  const form = document.querySelector("[data-claim-paste]");
  if (!form || !LINK.test(location.hash)) return;
  form.elements.token.value = location.hash.slice(1);
  form.requestSubmit();
};
// Nothing comes of this link any more: it need not stay in the address bar.
const forget = () => {
  if (document.querySelector("[data-claim-over]")) history.replaceState(null, "", location.pathname);
};

document.addEventListener("DOMContentLoaded", look); // Here htmx has taken over the form: its own listener came first.
document.addEventListener("htmx:afterSwap", forget);
addEventListener("hashchange", () => { if (LINK.test(location.hash)) location.reload(); }); // Another link, pasted here.
forget();
