"use strict";
(() => {
	const table = document.getElementById("findings");
	const tools = document.getElementById("tools");
	if (!table || !tools)
		return;
	const body = table.tBodies[0];
	const rows = Array.from(body.rows);
	const texts = rows.map((row) => row.textContent.toLowerCase());
	const filter = document.getElementById("filter");
	const shown = document.getElementById("shown");
	const expand = document.getElementById("expand");

	const apply = () => {
		const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
		let n = 0;
		rows.forEach((row, i) => {
			const hit = words.every((word) => texts[i].includes(word));
			row.hidden = !hit;
			n += hit;
		});
		shown.textContent = n + " of " + rows.length;
	};
	const setOpen = (open) => {
		for (const details of body.querySelectorAll("details"))
			details.open = open;
		expand.textContent = open ? "Close all" : "Open all";
	};
	const sort = (header, column) => {
		const down = header.getAttribute("aria-sort") !== "descending";
		for (const other of header.parentNode.cells)
			other.removeAttribute("aria-sort");
		header.setAttribute("aria-sort", down ? "descending" : "ascending");
		const key = (row) => row.cells[column].dataset.key;
		const number = header.dataset.kind === "number";
		const order = rows.map((row, i) => [key(row), i]);
		order.sort((a, b) => {
			const r = number ? a[0] - b[0] : a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
			return (down ? -r : r) || a[1] - b[1];
		});
		body.append(...order.map(([, i]) => rows[i]));
	};

	Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
		const button = document.createElement("button");
		button.textContent = header.textContent;
		header.replaceChildren(button);
		button.addEventListener("click", () => sort(header, column));
	});
	filter.addEventListener("input", apply);
	expand.addEventListener("click", () => setOpen(expand.textContent === "Open all"));
	window.addEventListener("beforeprint", () => setOpen(true));
	tools.hidden = false;
	apply();
})();
