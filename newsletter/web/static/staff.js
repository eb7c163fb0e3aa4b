// Comforts only: every page does its work without this file.
"use strict";

// A running send shows its progress. When it is over the page is asked for once more, unless somebody is typing.
const watched = () => document.querySelector("[data-progress]");
const follow_sending = async () => {
  const shown = watched();
  if (!shown) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(shown.dataset.progress + location.search, { redirect: "error" });
      if (answer.ok) {
        shown.outerHTML = await answer.text();
        const at = document.activeElement;
        if (!watched() && !(at && at.matches("input, textarea, iframe"))) location.reload();
      }
    } catch { /* the server is away: asked again */ }
  }
  setTimeout(follow_sending, 2000);
};
if (watched()) setTimeout(follow_sending, 2000);

// The design form: a colour picker beside each colour, and a preview that follows what is typed.
const live_form = document.querySelector("form[data-live]");
if (live_form) {
  const frame = document.querySelector("[data-frame]");
  const again = () => {
    const typed = new URLSearchParams(new FormData(live_form));
    frame.src = frame.dataset.frame + "?" + typed;
  };
  let waiting;
  live_form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(again, 400);
  });
  for (const text of live_form.querySelectorAll("[data-colour]")) {
    const picker = document.createElement("input");
    picker.type = "color";
    picker.setAttribute("aria-label", text.dataset.colour);
    const whole = () => /^#[0-9a-f]{6}$/i.test(text.value);
    const follow = () => { if (whole()) picker.value = text.value; };
    picker.value = live_form.querySelector("[data-colour]").value; // an empty one is made of the first
    follow();
    text.addEventListener("input", follow);
    picker.addEventListener("input", () => { text.value = picker.value.toUpperCase(); });
    text.after(picker);
    if (picker.nextElementSibling) picker.nextElementSibling.remove(); // the picker shows the colour itself
  }
  // Another layout has other options: the page is asked for again.
  live_form.elements.design.addEventListener("change", () => {
    live_form.querySelector("[formmethod=get]").click();
  });
}

// The segment form: whom it names follows what is typed. Only the answer to the latest question is shown.
const asking = document.querySelector("form[data-try]");
if (asking) {
  let waiting, asked = 0;
  asking.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const mine = ++asked;
      const body = new URLSearchParams(new FormData(asking));
      try {
        const answer = await fetch(asking.dataset.try, { method: "POST", body });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = page.getElementById("found");
        if (mine !== asked || !found) return;
        document.getElementById("found").replaceChildren(...found.childNodes);
        asking.elements.query.toggleAttribute("aria-invalid", false);
        if (answer.status === 422) asking.elements.query.setAttribute("aria-invalid", "true");
      } catch { /* no answer: what stands there stays, and the button counts */ }
    }, 600);
  });
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
