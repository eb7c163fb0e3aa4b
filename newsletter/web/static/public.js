/* Does the small work a sign-up form asks for: a number n such that SHA-256 of "ticket:n" begins with enough zero bits.
   Own SHA-256 (FIPS 180-4), because crypto.subtle is not there on plain http. Without this script the form works too, slower. */
"use strict";
(() => {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 0x100000000) | 0;
  const K = primes.map((p) => fraction(Math.cbrt(p)));
  const START = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Int32Array(64);

  function block(state, bytes, offset) {
    for (let i = 0; i < 16; i++) {
      const at = offset + i * 4;
      w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      w[i] = (w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    return [a, b, c, d, e, f, g, h].map((x, i) => (x + state[i]) | 0);
  }

  function firstWord(text) {
    const length = text.length, bytes = new Uint8Array(((length + 8) >> 6) * 64 + 64);
    for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i);
    bytes[length] = 0x80;
    new DataView(bytes.buffer).setUint32(bytes.length - 4, length * 8);
    let state = START;
    for (let at = 0; at < bytes.length; at += 64) state = block(state, bytes, at);
    return state[0];
  }

  function work(form) {
    const { ticket, difficulty } = form.dataset, field = form.elements.solution;
    let n = 0, pressed = null;
    form.addEventListener("submit", (event) => {
      if (field.value) return;
      event.preventDefault();
      pressed = event.submitter;
      form.setAttribute("aria-busy", "true");
    });
    (function some() {
      for (const end = n + 4000; n < end; n++) {
        if (Math.clz32(firstWord(`${ticket}:${n}`)) >= Number(difficulty)) {
          field.value = String(n);
          if (form.hasAttribute("aria-busy")) form.requestSubmit(pressed);
          return;
        }
      }
      setTimeout(some);
    })();
  }

  document.querySelectorAll("form[data-ticket]").forEach(work);
})();
