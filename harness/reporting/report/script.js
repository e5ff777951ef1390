"use strict";

// Dark or light, over what the system prefers.
(() => {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();

// Tables sort on a click: numbers from the largest, then from the smallest, then as they came. Totals stay below.
for (const table of document.querySelectorAll("table.scores")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const key = (row, column) => {
    const cell = row.cells[column];
    if ("value" in cell.dataset) return Number(cell.dataset.value);
    return column === 0 ? cell.textContent : null;
  };
  const compare = (column, sign) => (a, b) => {
    const [left, right] = [key(a, column), key(b, column)];
    if (left === null || right === null) return (left === null) - (right === null);
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right), "en", { numeric: true });
  };
  const sort = (column) => {
    const head = heads[column];
    const [first, second] = column === 0 ? ["ascending", "descending"] : ["descending", "ascending"];
    const order = head.ariaSort === first ? second : head.ariaSort === second ? "none" : first;
    for (const other of heads) other.ariaSort = "none";
    head.ariaSort = order;
    const isData = (row) => !row.classList.length;
    const rows = order === "none"
      ? original
      : [...original.filter(isData).sort(compare(column, order === "ascending" ? 1 : -1)), ...original.filter((row) => !isData(row))];
    for (const row of original) row.hidden = order !== "none" && row.classList.contains("subtotal");
    body.append(...rows);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort";
    button.append(...head.childNodes);
    head.append(button);
    head.classList.add("sortable");
    head.addEventListener("click", () => sort(column));
  });
}

// Long tables have a box that filters their rows: by words, and by conditions such as alpha>1 on their columns.
for (const table of document.querySelectorAll("table.scores")) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 20) continue;
  const spelled = { α: "alpha", λ: "lambda", τ: "tau" };
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const names = heads.map(({ textContent }) => (spelled[textContent] ?? textContent).toLowerCase().replaceAll(" ", "_"));
  const test = (word) => {
    const [, name, sign, number] = /^([^<>]+)([<>])(-?[\d.]+(?:e-?\d+)?)$/.exec(word) ?? [];
    const column = name ? names.findIndex((head) => head.includes(name)) : -1;
    if (column < 0) return (row) => row.textContent.toLowerCase().includes(word);
    return (row) => {
      const value = row.cells[column].dataset.value;
      return value !== undefined && (sign === ">" ? Number(value) > Number(number) : Number(value) < Number(number));
    };
  };
  const box = document.createElement("input");
  box.type = "search";
  box.className = "filter";
  box.placeholder = `Filter ${rows.length} rows: words, or COLUMN>NUMBER`;
  box.ariaLabel = "Filter rows";
  box.addEventListener("input", () => {
    const tests = box.value.toLowerCase().split(/\s+/).filter(Boolean).map(test);
    for (const row of rows) row.style.display = tests.every((passes) => passes(row)) ? "" : "none";
  });
  (table.closest(".scroll") ?? table).before(box);
}

// Figures open large.
(() => {
  const dialog = document.getElementById("large");
  const large = dialog.querySelector("img");
  for (const image of document.querySelectorAll("figure img")) {
    image.classList.add("zoomable");
    image.tabIndex = 0;
    const open = () => {
      large.src = image.src;
      large.alt = image.alt;
      dialog.className = image.closest("figure").className;
      dialog.showModal();
      dialog.scrollTo(0, 0);
    };
    image.addEventListener("click", open);
    image.addEventListener("keydown", (event) => {
      if (event.key === "Enter") open();
    });
  }
  dialog.addEventListener("click", () => dialog.close());
})();

// Buttons copy a table as text, and download a table, a figure or the experiment.
(() => {
  const download = (name, blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const copy = (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // of a page that came over http
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  const png = (image) => {
    const canvas = document.createElement("canvas");
    const scale = image.src.startsWith("data:image/svg") ? 3 : 1;
    [canvas.width, canvas.height] = [image.naturalWidth * scale, image.naturalHeight * scale];
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };
  const texts = (button) => JSON.parse(button.closest(".table").querySelector(".texts").textContent);
  const actions = {
    copy: (button, format) => copy(texts(button)[format]),
    download: (button, name) => download(name, new Blob([texts(button).csv], { type: "text/csv" })),
    text: (button, name) => download(name, new Blob([button.closest("section").querySelector("pre").textContent])),
    png: async (button, name) => download(name, await png(button.closest("figure").querySelector("img"))),
  };
  document.documentElement.classList.add("scripted");
  for (const button of document.querySelectorAll(".tools button")) {
    const [[action, argument]] = Object.entries(button.dataset);
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await actions[action](button, argument);
      button.textContent = action === "copy" ? "Copied" : label;
      setTimeout(() => (button.textContent = label), 1500);
    });
  }
})();

// Nothing stays folded on paper.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

// Each trial's curve: the nearest one to the pointer is read out, a click keeps it.
for (const explorer of document.querySelectorAll(".explorer")) {
  const data = JSON.parse(explorer.parentElement.querySelector("script.curves").textContent);
  const select = explorer.querySelector("select");
  const svg = explorer.querySelector("svg[role]");
  const readout = explorer.querySelector(".readout");
  const invitation = readout.textContent;
  const margin = { left: 52, right: 28, top: 10, bottom: 34 };
  let drawn = null;
  let kept = null;

  const element = (name, attributes, text, parent = svg) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  };
  const stroke = (algorithm) => ({ stroke: algorithm.color, "stroke-dasharray": algorithm.dash });
  const ticks = (low, high, count) => {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
    const found = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) found.push(tick);
    return found;
  };
  const number = (value) => Number(value.toPrecision(6)).toLocaleString("en");

  const draw = () => {
    const dataset = data.datasets[select.value];
    const { width, height } = svg.getBoundingClientRect();
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    kept = null;
    const values = dataset.curves.flatMap((curve) => curve[2]).filter((value) => value !== null);
    let low = values.reduce((a, b) => Math.min(a, b), Infinity);
    let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!(low <= high)) [low, high] = [0, 1];
    if (low === high) [low, high] = [low - 1, high + 1];
    const last = dataset.steps[dataset.steps.length - 1] || 1;
    const x = (step) => margin.left + (step / last) * (width - margin.left - margin.right);
    const y = (value) => height - margin.bottom - ((value - low) / (high - low)) * (height - margin.top - margin.bottom);
    for (const tick of ticks(low, high, 5)) {
      element("line", { x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) });
      element("text", { x: margin.left - 6, y: y(tick) + 4, "text-anchor": "end" }, number(tick));
    }
    for (const tick of ticks(0, last, width > 600 ? 6 : 3)) {
      element("text", { x: x(tick), y: height - margin.bottom + 16, "text-anchor": "middle" }, tick.toLocaleString("en", { notation: "compact" }));
    }
    element("text", { x: width - margin.right, y: height - 4, "text-anchor": "end" }, `Gradient steps; up: ${dataset.label.toLowerCase()}`);
    const lines = element("g", {});
    const paths = dataset.curves.map(([algorithm, , points]) => {
      let line = "";
      let pen = "M";
      points.forEach((value, index) => {
        if (value === null) {
          pen = "M";
          return;
        }
        line += `${pen}${x(dataset.steps[index]).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = "L";
      });
      return element("path", { d: line, ...stroke(data.algorithms[algorithm]) }, undefined, lines);
    });
    drawn = { dataset, paths, x, y };
    show(null);
  };

  const show = (chosen, index) => {
    explorer.classList.toggle("choosing", chosen !== null);
    drawn.paths.forEach((path, position) => path.classList.toggle("chosen", position === chosen));
    if (chosen === null) {
      readout.textContent = invitation;
      return;
    }
    const [algorithm, seed, points] = drawn.dataset.curves[chosen];
    const at = index ?? points.length - 1;
    const value = points[at] === null ? "NaN" : points[at];
    readout.textContent = `${data.algorithms[algorithm].name}, seed ${seed}: ${value} at step ${drawn.dataset.steps[at].toLocaleString("en")}`;
  };

  const nearest = (event) => {
    const box = svg.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let index = 0;
    drawn.dataset.steps.forEach((step, position) => {
      if (Math.abs(drawn.x(step) - left) < Math.abs(drawn.x(drawn.dataset.steps[index]) - left)) index = position;
    });
    let chosen = null;
    let distance = 40;
    drawn.dataset.curves.forEach(([, , points], position) => {
      if (points[index] === null || points[index] === undefined) return;
      const away = Math.abs(drawn.y(points[index]) - top);
      if (away < distance) [chosen, distance] = [position, away];
    });
    return [chosen, index];
  };

  explorer.hidden = false;
  data.datasets.forEach((dataset, index) => select.add(new Option(dataset.name, index)));
  const legend = explorer.querySelector(".legend");
  for (const algorithm of data.algorithms) {
    const entry = document.createElement("span");
    const swatch = element("svg", { viewBox: "0 0 40 6" }, undefined, entry);
    element("line", { x2: 40, y1: 3, y2: 3, ...stroke(algorithm) }, undefined, swatch);
    entry.append(algorithm.name);
    legend.append(entry);
  }
  select.addEventListener("change", draw);
  addEventListener("resize", draw);
  svg.addEventListener("pointermove", (event) => {
    if (kept === null) show(...nearest(event));
  });
  svg.addEventListener("pointerleave", () => {
    if (kept === null) show(null);
  });
  svg.addEventListener("click", (event) => {
    const [chosen, index] = nearest(event);
    kept = chosen === kept ? null : chosen;
    show(chosen, index);
  });
  draw();
}
