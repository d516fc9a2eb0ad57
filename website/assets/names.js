"use strict";
// Names for parts of the theme that have none for those who hear a page.
for (const [part, name] of [[".md-search[role=dialog]", "Search"]]) {
  for (const each of document.querySelectorAll(part)) each.setAttribute("aria-label", name);
}
new MutationObserver((_, watching) => {
  const found = document.querySelectorAll("nav.md-code__nav:not([aria-label])");
  for (const each of found) each.setAttribute("aria-label", `Tools of code block ${[...document.querySelectorAll("nav.md-code__nav")].indexOf(each) + 1}`);
}).observe(document.body, { childList: true, subtree: true });
