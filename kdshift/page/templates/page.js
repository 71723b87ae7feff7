"use strict";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const views = [];

function colours() {
  const ink = dark.matches ? "#c9d1dc" : "#3a4453";
  const grid = dark.matches ? "#39424f" : "#dde2ea";
  return {
    axis: { labelColor: ink, titleColor: ink, gridColor: grid, domainColor: ink, tickColor: ink },
    legend: { labelColor: ink, titleColor: ink },
  };
}

async function draw() {
  while (views.length) views.pop().finalize();
  for (const place of document.querySelectorAll(".chart")) {
    const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
    const made = await vegaEmbed(place, spec, { actions: false, renderer: "svg", config: colours() });
    views.push(made.view);
  }
  for (const control of document.querySelectorAll("[data-signal]")) apply(control);
  document.body.dataset.drawn = String(views.length);
}

function valueOf(control) {
  if (control.type === "range") return JSON.parse(control.dataset.choices)[Number(control.value)];
  if (control.type === "checkbox") {
    const all = document.querySelectorAll(`[data-signal="${control.dataset.signal}"]`);
    return [...all].filter((box) => box.checked).map((box) => box.value);
  }
  return control.value;
}

function apply(control) {
  if (control.type === "radio" && !control.checked) return;
  const value = valueOf(control);
  if (control.type === "range") control.nextElementSibling.textContent = Number(value).toLocaleString("en");
  for (const view of views) {
    if (knows(view, control.dataset.signal)) view.signal(control.dataset.signal, value).runAsync();
  }
}

function knows(view, signal) {
  try {
    view.signal(signal);
    return true;
  } catch {
    return false; // a chart without this control
  }
}

for (const control of document.querySelectorAll("[data-signal]")) {
  control.addEventListener("input", () => apply(control));
}
dark.addEventListener("change", draw);
draw();
