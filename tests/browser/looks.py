"""What is asked of a page by scripts of ours: does it fit, what does it say, where is Tab."""

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  for (const each of document.querySelectorAll("details")) each.open = true;
  const found = [];
  const page = document.documentElement.scrollWidth;
  if (page > window.innerWidth) found.push(`the page is ${page} wide, of ${window.innerWidth}`);
  const scrolls = (each) => {
    for (let one = each.parentElement; one; one = one.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(one).overflowX)) return true;
    return false;
  };
  for (const each of document.body.querySelectorAll("*")) {
    const box = each.getBoundingClientRect();
    if (!box.width || !box.height || each.closest(".skip") || scrolls(each)) continue;
    if (box.left < -0.5 || box.right > width + 0.5)
      found.push(`<${each.tagName.toLowerCase()} class="${each.className}"> from `
        + `${Math.round(box.left)} to ${Math.round(box.right)} of ${width}: `
        + each.textContent.trim().slice(0, 40));
  }
  return found.slice(0, 5);
}"""
"""What reaches over the window's edges and does not scroll by itself; all is unfolded."""

SENTENCES = """() => {
  const language = document.documentElement.lang;
  const kept = document.body.cloneNode(true);
  for (const each of kept.querySelectorAll("[lang]"))
    if (each.lang !== language) each.remove();
  const asIs = "pre, code, bdi, textarea, blockquote, [translate=no]";
  for (const each of kept.querySelectorAll(asIs)) each.remove();
  const blocks = "p, li, h1, h2, h3, h4, label, legend, button, summary, dt, dd, th, td, a,"
    + " small, strong, span, blockquote";
  const texts = [...kept.querySelectorAll(blocks)].map((each) => each.textContent);
  const said = [document.title, ...texts];
  for (const each of kept.querySelectorAll("[aria-label], [title], [placeholder]"))
    for (const name of ["aria-label", "title", "placeholder"])
      said.push(each.getAttribute(name) || "");
  return said.map((text) => text.replace(/\\s+/g, " ").trim());
}"""
"""Every piece of text that the page does not mark as being in another language."""

STOP = """async () => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  let box, seen = false;
  for (let frames = 0; frames < 60 && !seen; frames++) {  // the browser may still scroll to it
    if (frames) await new Promise(requestAnimationFrame);
    box = at.getBoundingClientRect();
    seen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < window.innerHeight;
  }
  const style = getComputedStyle(at);
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== "none";
  return {
    what: `${at.tagName.toLowerCase()} ${(at.getAttribute("aria-label") || at.textContent
      || at.name || "").trim().slice(0, 40)}`,
    place: [...document.querySelectorAll("*")].indexOf(at),
    inline: style.display === "inline", left: box.left, right: box.right,
    top: box.top + window.scrollY, bottom: box.bottom + window.scrollY,
    ring, seen,
  };
}"""
"""Where the focus is: its box on the page, and whether a person sees at least a part of it."""

STOPS = """() => {
  const many = 'a[href], button, input:not([type=hidden]), textarea, select, summary,'
    + ' [tabindex="0"]';
  const radios = new Set();
  return [...document.querySelectorAll(many)].filter((each) => {
    if (!each.checkVisibility()) return false;
    if (each.type !== "radio") return true;
    const first = !radios.has(each.name);
    radios.add(each.name);
    return first;
  }).length;
}"""
"""How many stops Tab has to make on the page."""

KEPT = """() => [document.cookie, localStorage.length, sessionStorage.length]"""
"""What the site left in the browser."""

HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))"""
