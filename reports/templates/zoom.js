(function () {
  "use strict";
  var NS = "http://www.w3.org/2000/svg", NICE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5];
  var svgs = Array.prototype.slice.call(document.querySelectorAll("svg[data-time]")), undo = [];
  if (!svgs.length) { return; }
  svgs.forEach(function (svg) { svg.dataset.whole = svg.dataset.time; });
  var whole = document.createElement("button");
  whole.type = "button";
  whole.id = "whole";
  whole.hidden = true;
  whole.textContent = "show the whole run (Esc)";
  whole.addEventListener("click", reset);
  document.body.appendChild(whole);
  var hint = document.createElement("p");
  hint.className = "note zoom";
  hint.textContent = "Drag over a picture to see a part of the time in all of them.";
  (document.getElementById("healing") || svgs[0].closest("section")).querySelector(".q").after(hint);

  function frame(svg) {
    var part = svg.dataset.time.split(" ").map(Number);
    return { from: part[0], to: part[1], left: part[2], right: part[3] };
  }
  function made(name, attributes, parent) {
    var element = document.createElementNS(NS, name);
    Object.keys(attributes).forEach(function (key) { element.setAttribute(key, attributes[key]); });
    parent.appendChild(element);
    undo.push(function () { element.remove(); });
    return element;
  }
  function set(element, name, value) {
    var before = element.getAttribute(name);
    element.setAttribute(name, value);
    undo.push(function () {
      if (before === null) { element.removeAttribute(name); } else { element.setAttribute(name, before); }
    });
  }
  function reset() {
    while (undo.length) { undo.pop()(); }
    whole.hidden = true;
  }

  // Moves what stands inside the plot: ends of shapes, but letters and dots as a whole.
  function place(element, view) {
    var tag = element.tagName, x = Number(element.getAttribute(tag === "circle" ? "cx" : "x"));
    var paper = tag === "rect" && element.classList.contains("f-bg") && element.hasAttribute("opacity");
    var inside = function (x) { return x >= view.left - 3 && x <= view.right + 3; };
    var to = function (x) { return Number((view.left + (x - view.start) * view.times).toFixed(1)); };
    if (tag === "text" || tag === "circle" || paper) {
      if (!inside(x) || Number(element.getAttribute("y")) > view.bottom + 2) { return; }
      set(element, "transform", "translate(" + (to(x) - x).toFixed(1) + " 0)");
    } else {
      var box = element.getBBox();
      if (!inside(box.x) || !inside(box.x + box.width)) { return; }
      if (tag === "rect") {
        set(element, "x", to(x));
        set(element, "width", to(x + Number(element.getAttribute("width"))) - to(x));
      } else {
        set(element, "d", stretched(element.getAttribute("d"), to));
      }
    }
    var clip = document.createElementNS(NS, "g");
    clip.setAttribute("clip-path", "url(#" + view.clip + ")");
    element.replaceWith(clip);
    clip.appendChild(element);
    undo.push(function () { clip.replaceWith(element); });
  }
  // Every second number is a height, but for those of H, which has none, and V, which has nothing else.
  function stretched(d, to) {
    return d.replace(/([A-Z])([^A-Z]*)/g, function (_, command, numbers) {
      if (command === "V" || command === "Z") { return command + numbers; }
      return command + numbers.trim().split(" ").map(function (number, at) {
        return command === "H" || at % 2 === 0 ? to(Number(number)) : number;
      }).join(" ");
    });
  }
  function axis(group, view) {
    var y = Number(group.dataset.axis), line = group.querySelector("path"), text = group.querySelector("text");
    set(group, "visibility", "hidden");
    var fresh = made("g", { "class": "fresh" }, group.parentNode);
    var millis = (view.to - view.from) / 1e3, most = Math.max(2, (view.right - view.left) / 80);
    var step = NICE.find(function (step) { return millis / step <= most; }) || 36e5;
    var draw = function (d) {
      var path = fresh.appendChild(line.cloneNode());
      path.setAttribute("d", d);
    };
    draw("M" + view.left + " " + y + "H" + view.right);
    for (var at = Math.ceil(view.from / 1e3 / step) * step, first = true; at <= view.to / 1e3; at += step, first = false) {
      var x = (view.left + (at * 1e3 - view.from) / (view.to - view.from) * (view.right - view.left)).toFixed(1);
      draw("M" + x + " " + y + "v4");
      var label = fresh.appendChild(text.cloneNode());
      label.setAttribute("x", x);
      label.setAttribute("text-anchor", "middle");
      label.textContent = (at / 1e3).toFixed(step % 1000 ? (step % 100 ? (step % 10 ? 3 : 2) : 1) : 0) + (first ? "\u202fs" : "");
    }
  }
  function zoom(from, to) {
    reset();
    svgs.forEach(function (svg) {
      var f = frame(svg);
      if (from < f.from || to > f.to || !svg.getClientRects().length) { return; }
      var view = { from: from, to: to, left: f.left, right: f.right, clip: svg.id + "-zoom" };
      var axes = Array.prototype.slice.call(svg.querySelectorAll("[data-axis]"));
      view.bottom = Math.max.apply(null, axes.map(function (group) { return Number(group.dataset.axis); }));
      view.times = (f.to - f.from) / (to - from);
      view.start = f.left + (from - f.from) / (f.to - f.from) * (f.right - f.left);
      var shapes = Array.prototype.slice.call(svg.querySelectorAll("path,rect,circle,text")).filter(function (element) {
        return !element.closest("defs,[data-axis],.hair") && element.parentNode.tagName !== "clipPath";
      });
      var clip = made("clipPath", { id: view.clip }, svg);
      made("rect", { x: f.left, y: 0, width: f.right - f.left, height: svg.viewBox.baseVal.height }, clip);
      shapes.forEach(function (element) { place(element, view); });
      axes.forEach(function (group) { axis(group, view); });
      set(svg, "data-time", [from, to, f.left, f.right].join(" "));
    });
    whole.hidden = false;
  }

  svgs.forEach(function (svg) {
    var begin = null, band = null;
    function at(event) {
      var box = svg.getBoundingClientRect(), f = frame(svg);
      var x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      return Math.min(f.right, Math.max(f.left, x));
    }
    function end() {
      if (band) { band.remove(); }
      begin = band = null;
    }
    svg.addEventListener("pointerdown", function (event) {
      if (event.button !== 0 || event.pointerType === "touch") { return; }
      event.preventDefault();
      begin = at(event);
      band = document.createElementNS(NS, "rect");
      band.setAttribute("class", "band");
      band.setAttribute("height", svg.viewBox.baseVal.height);
      svg.appendChild(band);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", function (event) {
      if (begin === null) { return; }
      var now = at(event);
      band.setAttribute("x", Math.min(begin, now));
      band.setAttribute("width", Math.abs(now - begin));
    });
    svg.addEventListener("pointerup", function (event) {
      if (begin === null) { return; }
      var f = frame(svg), now = at(event), low = Math.min(begin, now), high = Math.max(begin, now);
      var time = function (x) { return f.from + (x - f.left) / (f.right - f.left) * (f.to - f.from); };
      end();
      // A click is no drag, and less than three slots of counts show nothing.
      if (high - low > 6 && time(high) - time(low) >= 3e5) { zoom(Math.round(time(low)), Math.round(time(high))); }
    });
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("dblclick", reset);
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { reset(); } });
  window.addEventListener("resize", reset);
})();
