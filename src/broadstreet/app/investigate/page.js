(() => {
  const data = JSON.parse(document.getElementById("cases").textContent);
  const kin = (id) => {
    const found = new Set();
    for (let at = data[id] && data[id].by; at != null && !found.has(at); at = data[at] && data[at].by) found.add(at);
    const waiting = [id];
    while (waiting.length) {
      for (const to of (data[waiting.pop()] || { to: [] }).to) if (!found.has(to)) { found.add(to); waiting.push(to); }
    }
    found.delete(id);
    return found;
  };
  const make = (tag, text, parent) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    parent.append(made);
    return made;
  };
  const name = (at) => (data[at] ? data[at].id : "");
  const describe = (id, panel) => {
    const one = data[id];
    panel.replaceChildren();
    make("h3", one.id, panel);
    if (one.when) make("p", one.when, panel);
    if (one.from.length) {
      make("p", "Infected by, with probability:", panel);
      const list = make("ol", "", panel);
      for (const [who, chance, why] of one.from) {
        const item = make("li", `${who}: ${chance} %`, list);
        const bar = make("span", "", item);
        bar.className = "chance";
        bar.style.width = `${chance}%`;
        make("span", why, item).className = "why";
      }
    }
    if (one.to.length) make("p", `In the most probable tree it infected ${one.to.map(name).join(", ")}.`, panel);
  };
  let chosen = null;
  const choose = (id) => {
    if (!data[id] || id === chosen) return;
    chosen = id;
    const related = kin(id);
    for (const each of document.querySelectorAll("[data-case]")) {
      each.classList.toggle("on", each.dataset.case === id);
      each.classList.toggle("kin", related.has(each.dataset.case));
      if (each.getAttribute("role") === "option") each.setAttribute("aria-selected", each.dataset.case === id);
    }
    for (const link of document.querySelectorAll(".link")) {
      const ends = [link.dataset.from, link.dataset.to];
      link.classList.toggle("on", ends.every((end) => end === id || related.has(end)));
    }
    for (const panel of document.querySelectorAll(".panel")) describe(id, panel);
  };
  for (const each of document.querySelectorAll("[data-case]")) {
    each.addEventListener("mouseenter", () => choose(each.dataset.case));
    each.addEventListener("click", () => choose(each.dataset.case));
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
  let number = 0;
  for (const board of document.querySelectorAll(".rows")) {
    const options = [...board.querySelectorAll(".case")];
    for (const option of options) option.id = `option-${number++}`;
    const move = (at) => {
      const option = options[Math.max(0, Math.min(options.length - 1, at))];
      choose(option.dataset.case);
      board.setAttribute("aria-activedescendant", option.id);
      const row = option.querySelector(".hit").getBoundingClientRect();
      const frame = board.getBoundingClientRect();
      if (row.top < frame.top + 26) board.scrollTop += row.top - frame.top - 26;
      if (row.bottom > frame.bottom) board.scrollTop += row.bottom - frame.bottom;
    };
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e9, End: 1e9 };
    board.addEventListener("keydown", (event) => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      const now = options.findIndex((option) => option.dataset.case === chosen);
      move((now < 0 && steps[event.key] === 1 ? -1 : now) + steps[event.key]);
    });
    board.addEventListener("focus", () => { if (chosen === null && options.length) move(0); });
  }
})();
