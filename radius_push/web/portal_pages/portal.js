// The little that the portal does by itself: it goes on when there are news, copies the link, and writes times
// as this browser does. Without it every page has a button or a link for the same.

const EVERY_MS = 2000;

const { news } = document.getElementById("content").dataset;

async function look() {
  try {
    const response = await fetch("/news", { cache: "no-store", redirect: "error" });
    if (response.ok && (await response.json()).go) return location.replace(news);
  } catch {
    // The next look may reach it.
  }
  return setTimeout(look, EVERY_MS);
}
if (news) setTimeout(look, EVERY_MS);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    } catch {
      field.select(); // to be copied by hand
    }
  });
}

const written = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time")) time.textContent = written.format(new Date(time.dateTime));
