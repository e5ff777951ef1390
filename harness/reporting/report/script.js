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
