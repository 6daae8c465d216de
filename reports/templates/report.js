(function () {
  "use strict";
  var block = document.getElementById("data"), line = document.getElementById("read");
  var svgs = Array.prototype.slice.call(document.querySelectorAll("svg[data-time]"));
  function frame(svg) {
    var part = svg.dataset.time.split(" ").map(Number);
    return { from: part[0], to: part[1], left: part[2], right: part[3] };
  }
  function hide() {
    document.querySelectorAll(".hair").forEach(function (hair) { hair.remove(); });
    line.hidden = true;
  }
  function show(at) {
    hide();
    svgs.forEach(function (svg) {
      var f = frame(svg);
      if (at < f.from || at > f.to || !svg.getClientRects().length) { return; }
      var x = f.left + (at - f.from) / (f.to - f.from) * (f.right - f.left);
      var hair = document.createElementNS("http://www.w3.org/2000/svg", "path");
      hair.setAttribute("class", "hair");
      hair.setAttribute("d", "M" + x.toFixed(1) + " 0V" + svg.viewBox.baseVal.height);
      svg.appendChild(hair);
    });
    if (!block) { return; }
    var d = JSON.parse(block.textContent), n = Math.floor(at / 1e6 / d.seconds), none = "no data";
    function told(value) { return value === null || value === undefined ? none : String(value); }
    if (n >= d.planned.length) { return; }
    var text = "from " + n * d.seconds + " to " + (n + 1) * d.seconds + " s: planned " + told(d.planned[n]) + ", lost " + told(d.lost[n]) +
      " | p50 " + told(d.p50[n]) + ", p99 " + told(d.p99[n]) + ", largest " + told(d.max[n]);
    d.arrivals.slice(0, 6).forEach(function (one, at) {
      text += (at ? ", " : " | attempts ") + one.name + " " + told(one.offered && one.offered[n]);
    });
    line.textContent = text;
    line.hidden = false;
  }
  svgs.forEach(function (svg) {
    svg.addEventListener("pointermove", function (event) {
      var box = svg.getBoundingClientRect(), f = frame(svg);
      var x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      var at = f.from + (x - f.left) / (f.right - f.left) * (f.to - f.from);
      if (at < f.from || at >= f.to) { hide(); } else { show(at); }
    });
    svg.addEventListener("pointerleave", hide);
  });
  document.querySelectorAll("[data-key]").forEach(function (entry) {
    var section = entry.closest("section"), name = entry.dataset.key;
    var series = section.querySelectorAll('[data-series="' + name + '"]');
    if (!series.length) { return; }
    var button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    while (entry.firstChild) { button.appendChild(entry.firstChild); }
    entry.replaceWith(button);
    button.addEventListener("click", function () {
      var on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      series.forEach(function (group) { group.setAttribute("visibility", on ? "visible" : "hidden"); });
    });
  });
})();
