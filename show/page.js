"use strict";
// Sorting and filtering of the table. Without this script the page is complete, in the catalogue's order.
(function () {
  var table = document.getElementById("tolls");
  if (!table) return;
  var original = Array.from(table.tBodies);
  var rows = original.flatMap(function (body) {
    var group = body.rows[0].textContent;
    return Array.from(body.rows).slice(1).map(function (row) {
      return { row: row, body: body, group: group, text: row.cells[0].textContent.toLowerCase(),
        crossings: Array.from(row.querySelectorAll("[data-x]")).map(function (cell) { return cell.dataset.x; }) };
    });
  });
  var sorted = document.createElement("tbody");
  var state = { column: -1, direction: "none" };

  // A line is told in the unit it reads best in.
  function scale(row) {
    return { "µs": 1e3, ms: 1e6, s: 1e9 }[row.cells[1].textContent] || 1;
  }

  function value(entry, column) {
    if (column === 0) return entry.text;
    var cell = entry.row.cells[column], figure = cell.querySelector("b");
    var number = parseFloat(cell.dataset.v || (figure ? figure.textContent : "")) * (cell.dataset.v ? 1 : scale(entry.row));
    return isNaN(number) ? null : number;
  }

  function compare(column, sign) {
    return function (a, b) {
      var x = value(a, column), y = value(b, column);
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    };
  }

  function restore() {
    sorted.remove();
    original.forEach(function (body) { table.append(body); });
    rows.forEach(function (entry) { entry.body.append(entry.row); });
  }

  function sort(column) {
    var order = { none: "ascending", ascending: "descending", descending: "none" };
    state.direction = column === state.column ? order[state.direction] : "ascending";
    state.column = column;
    Array.from(table.tHead.rows[0].cells).forEach(function (head, i) {
      if (i === column && state.direction !== "none") head.setAttribute("aria-sort", state.direction);
      else head.removeAttribute("aria-sort");
    });
    restore();
    if (state.direction === "none") return filter();
    original.forEach(function (body) { body.remove(); });
    rows.slice().sort(compare(column, state.direction === "ascending" ? 1 : -1)).forEach(function (entry) {
      sorted.append(entry.row);
    });
    table.append(sorted);
    filter();
  }

  function element(name, properties, children) {
    var node = Object.assign(document.createElement(name), properties);
    (children || []).forEach(function (child) { node.append(child); });
    return node;
  }

  function choice(label, words, titles) {
    var select = element("select", {}, [element("option", { value: "", textContent: "all" })].concat(
      words.map(function (word, i) { return element("option", { value: word, textContent: titles ? titles[i] : word }); })));
    select.addEventListener("change", filter);
    return { label: element("label", { textContent: label }, [select]), select: select };
  }

  function unique(list) {
    return list.filter(function (item, i) { return list.indexOf(item) === i; });
  }

  var search = element("input", { type: "search", placeholder: "cpuid, mov, user …", autocomplete: "off" });
  search.addEventListener("input", filter);
  var groups = choice(table.dataset.groups || "Class", unique(rows.map(function (entry) { return entry.group; })));
  var known = unique(rows.flatMap(function (entry) { return entry.crossings; })).filter(function (word) { return word !== "other"; });
  var crossings = choice("Crossed by", known, known.map(function (word) { return word.replace("-", " to the ").replace("the user", "user space"); }));
  var count = element("output", {});
  count.setAttribute("aria-live", "polite");
  document.getElementById("controls").append(
    element("label", { textContent: "Find a case" }, [search]), groups.label);
  if (known.length) document.getElementById("controls").append(crossings.label);
  var roads = Array.from(table.tHead.rows[0].cells).slice(2);
  if (roads.length > 3) document.getElementById("controls").append(element("details", { className: "pick" },
    [element("summary", { textContent: "Columns" })].concat(roads.map(function (head, i) {
      var box = element("input", { type: "checkbox", checked: true });
      box.addEventListener("change", function () { show(i + 2, box.checked); });
      return element("label", {}, [box, " " + head.textContent.trim()]);
    }))));
  document.getElementById("controls").append(count);

  // A case that is pointed at in one picture, or in the table, is marked in all of them.
  var marks = {};
  function join(name, node) {
    (marks[name] = marks[name] || []).push(node);
    function light(on) {
      return function () { marks[name].forEach(function (other) { other.classList.toggle("lit", on); }); };
    }
    ["mouseenter", "focusin"].forEach(function (event) { node.addEventListener(event, light(true)); });
    ["mouseleave", "focusout"].forEach(function (event) { node.addEventListener(event, light(false)); });
  }
  function name(row) {
    var parts = Array.from(row.cells[0].childNodes).filter(function (part) { return part.nodeName !== "CODE" && part.nodeName !== "SMALL"; });
    return parts.map(function (part) { return part.textContent; }).join("").trim();
  }
  rows.forEach(function (entry) { join(name(entry.row), entry.row); });
  // Its title, and its path where another has the same title.
  function road(head) {
    function title(other) { return other.querySelector(".title").textContent; }
    var twins = roads.filter(function (other) { return title(other) === title(head); });
    return title(head) + (twins.length > 1 ? " " + head.querySelector("small").textContent.split(",")[0] : "");
  }
  // A symbol says the number of its cell: what the table says there is shown where a pointer rests on it.
  document.querySelectorAll(".chart [data-n]").forEach(function (symbol) {
    var row = rows[Math.floor(symbol.dataset.n / roads.length)].row, place = symbol.dataset.n % roads.length;
    var title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    var said = Array.from(row.cells[place + 2].childNodes).filter(function (part) { return part.nodeName !== "I" && part.nodeName !== "A"; });
    title.textContent = name(row) + " on " + road(roads[place]) + ": " +
      said.map(function (part) { return part.textContent; }).join("").trim().replace(/^(\S+( ±\S+)?)/, "$1 " + row.cells[1].textContent + ",");
    symbol.append(title);
    join(name(row), symbol);
  });

  function show(column, shown) {
    Array.from(table.rows).forEach(function (row) {
      if (row.cells.length > column) row.cells[column].hidden = !shown;
    });
  }

  function filter() {
    var wanted = search.value.trim().toLowerCase(), shown = 0;
    rows.forEach(function (entry) {
      entry.row.hidden = (wanted && !entry.text.includes(wanted)) ||
        (groups.select.value && entry.group !== groups.select.value) ||
        (crossings.select.value && !entry.crossings.includes(crossings.select.value));
      shown += !entry.row.hidden;
    });
    original.forEach(function (body) {
      body.hidden = !Array.from(body.rows).slice(1).some(function (row) { return !row.hidden; });
    });
    count.textContent = shown === rows.length ? rows.length + " cases" : shown + " of " + rows.length + " cases";
  }

  Array.from(table.tHead.rows[0].cells).forEach(function (head, i) {
    if (i === 1) return;
    var button = element("button", { type: "button", title: "Sort by this column" });
    button.append.apply(button, Array.from(head.childNodes));
    button.addEventListener("click", function () { sort(i); });
    head.append(button);
  });
  filter();
})();
