for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent;
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    if (!head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const text = head.classList.contains("t");
      const down = head.getAttribute("aria-sort") === "none" ? !text : head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [row, value(row, head.cellIndex)]);
      rows.sort((a, b) => (text ? a[1].localeCompare(b[1], "en", { numeric: true }) : a[1] - b[1]) * (down ? -1 : 1));
      body.append(...rows.map((pair) => pair[0]));
    });
  }
}
for (const field of document.querySelectorAll("input[type=search]")) {
  const table = document.getElementById(field.getAttribute("aria-controls"));
  field.hidden = false;
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
