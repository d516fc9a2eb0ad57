"use strict";
// The catalog explorer: filters the rows of rows.js. What was asked stands in the address.
(() => {
  const { editions, parties, services, features, rows } = window.flowbridgeRows;
  const place = document.getElementById("explorer");
  const form = place.querySelector("form");
  const list = document.getElementById("rows");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const FIRST = 60;
  const PROTOCOLS = new Set(rows.flatMap(row => row.protocols));
  let all = false;

  function fill(name, entries) {
    const select = form.elements[name];
    for (const [value, text] of entries) select.add(new Option(text, value));
  }
  const byName = Object.entries(parties).sort((a, b) => a[1].localeCompare(b[1]));
  fill("to", byName.filter(([party]) => rows.some(row => row.targetParties.includes(party))));
  fill("from", byName.filter(([party]) => rows.some(row => row.sourceParties.includes(party))));
  fill("service", services.map(name => [name, name]));
  fill("feature", features.map(name => [name, name]));
  fill("edition", editions.map((name, at) => [String(at), name]));

  const folded = text => text.normalize("NFKC").toLowerCase();

  // Words of a question: ports as [first, last], protocols, and what remains as text.
  function read(text) {
    const asked = { ports: [], protocols: [], words: [] };
    for (const word of folded(text).split(/\s+/).filter(Boolean)) {
      const span = /^(\d{1,5})(?:[-~](\d{1,5}))?$/.exec(word);
      if (span && Number(span[1]) <= 65535) asked.ports.push([Number(span[1]), Number(span[2] || span[1])]);
      else if (PROTOCOLS.has(word)) asked.protocols.push(word);
      else asked.words.push(word);
    }
    return asked;
  }

  // How wide the narrowest range is that holds the port; null where none does.
  function width(spans, [first, last], edition) {
    let least = null;
    for (const [from, to, places] of spans)
      if (from <= first && last <= to && (edition === null || places.includes(edition) || places.includes(-1)))
        least = Math.min(least ?? Infinity, to - from);
    return least;
  }

  // A smaller number is a better answer; null is none.
  function rank(row, asked, chosen) {
    if (chosen.to && !row.targetParties.includes(chosen.to)) return null;
    if (chosen.from && !row.sourceParties.includes(chosen.from)) return null;
    if (chosen.service && row.service !== chosen.service) return null;
    if (chosen.feature && !row.features.includes(chosen.feature)) return null;
    const edition = chosen.edition === "" ? null : Number(chosen.edition);
    if (edition !== null && !row.editions.includes(edition)) return null;
    if (!asked.protocols.every(name => row.protocols.includes(name))) return null;
    if (!asked.words.every(word => row.words.includes(word))) return null;
    let sum = 0;
    for (const port of asked.ports) {
      const target = width(row.spans, port, edition);
      const source = width(row.sources, port, edition);
      if (target === null && source === null) return null;
      sum += target === null ? 1e6 + source : target;
    }
    return sum;
  }

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  function shown(row) {
    const item = element("li");
    const head = element("p", "", { class: "fb-head" });
    head.append(element("a", row.id, { href: `${row.page}.html#${row.anchor}` }), ` ${row.en}`);
    if (row.ja) head.append(" ", element("span", row.ja, { lang: "ja" }));
    const what = element("p", "", { class: "fb-what" });
    what.append(element("b", row.protocols.join("/")), ` ${row.ports}`);
    const ends = element("p", `${row.from} → ${row.to}`, { class: "fb-ends" });
    if (row.sourcePorts && row.sourcePorts !== "–") ends.append(` (source ports ${row.sourcePorts})`);
    const told = [row.service && `service ${row.service}`];
    if (row.changed.length) told.push(`changed by ${row.changed.join(", ")}`);
    if (row.errata.length) told.push(`${row.errata.length} ${row.errata.length === 1 ? "erratum" : "errata"}`);
    if (!row.editions.length) told.push("added by an erratum");
    else if (row.editions.length === 1) told.push(`only in ${editions[row.editions[0]]}`);
    item.append(head, what, ends, element("p", told.filter(Boolean).join(" · "), { class: "fb-told" }));
    return item;
  }

  function answer() {
    const chosen = Object.fromEntries(new FormData(form));
    const asked = read(chosen.q);
    const found = rows
      .map((row, at) => [rank(row, asked, chosen), at, row])
      .filter(([mark]) => mark !== null)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const listed = all ? found : found.slice(0, FIRST);
    list.replaceChildren(...listed.map(([, , row]) => shown(row)));
    count.textContent = `${found.length} of ${rows.length} rows / ${rows.length} 行中 ${found.length} 行`;
    more.hidden = listed.length === found.length;
    const kept = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
    history.replaceState(null, "", `#${kept}`);
  }

  function restore() {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const name of ["q", "to", "from", "service", "feature", "edition"]) form.elements[name].value = kept.get(name) || "";
    all = false;
    answer();
  }
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", () => { all = false; answer(); });
  form.addEventListener("reset", () => setTimeout(() => { all = false; answer(); form.elements.q.focus(); }));
  more.addEventListener("click", () => { all = true; answer(); });
  addEventListener("hashchange", restore);
  restore();
})();
