// SPDX-License-Identifier: Apache-2.0
#include "format/html_parts.hpp"

namespace turboci {

const std::string_view kHtmlScript = R"js(
"use strict";
// Without this script the page shows everything; with it, what the filters leave.
(() => {
  const form = document.getElementById("filters");
  const nodes = [...document.querySelectorAll(".f")];
  const parts = [...document.querySelectorAll("main > section, main details.list")];
  const texts = new Map();
  const textOf = (node) => {
    if (!texts.has(node)) texts.set(node, node.textContent.toLowerCase());
    return texts.get(node);
  };
  const opened = new Set();
  const closeWhatWasOpened = () => {
    for (const part of opened) part.open = false;
    opened.clear();
  };
  const filter = () => {
    const words = form.t.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = new Set([...form.querySelectorAll("[name=o]:checked")].map((box) => box.value));
    const anyKind = form.k.selectedIndex === 0;
    const least = Number(form.d.value);
    const idle = !words.length && !outcomes.size && anyKind && !least;
    const found = new Set();
    for (const node of nodes) {
      const { o, k, d } = node.dataset;
      const fits = idle || ((!outcomes.size || outcomes.has(o)) && (anyKind || k === form.k.value) &&
        Number(d) >= least && words.every((word) => textOf(node).includes(word)));
      node.classList.toggle("hidden", !fits);
      if (fits && node.id) found.add(node.id);
    }
    closeWhatWasOpened();
    for (const part of parts) {
      const some = part.querySelector(".f:not(.hidden)") !== null;
      part.classList.toggle("hidden", !some);
      if (!idle && some && part.tagName === "DETAILS" && !part.open) {
        part.open = true;
        opened.add(part);
      }
    }
    const all = nodes.filter((node) => node.id).length;
    form.querySelector("output").value = idle ? "" : `${found.size} of ${all} nodes`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select")) return;
    event.preventDefault();
    form.t.focus();
  });
  // On paper nothing can be unfolded.
  addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((d) => (d.open = true)));
  form.hidden = false;
  filter();
})();
)js";

}  // namespace turboci
