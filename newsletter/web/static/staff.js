// Comforts only: every page does its work without this file.
"use strict";

// A running send shows its progress, unless somebody is typing.
const live = document.querySelector("[data-refresh]");
if (live) {
  setInterval(() => {
    const at = document.activeElement;
    const typing = at && at.matches("input, iframe");
    if (!typing && !document.hidden) location.reload();
  }, Number(live.dataset.refresh) * 1000);
}

// A second click while the first one travels does nothing.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
