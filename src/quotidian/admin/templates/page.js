// Renews the page in place every few seconds, while somebody looks at it.
"use strict";

const PAUSE = 5000;

async function renew() {
  if (document.hidden) return;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of ["main", "footer"]) {
      document.querySelector(part).replaceWith(fresh.querySelector(part));
    }
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
}

setInterval(renew, PAUSE);
document.addEventListener("visibilitychange", renew);
