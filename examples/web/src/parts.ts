// Templates of the page, and what is in them.

/** A copy of the only element in a template. */
export function copy<E extends HTMLElement>(id: string): E {
  const template = document.getElementById(id) as HTMLTemplateElement;
  return template.content.firstElementChild!.cloneNode(true) as E;
}

/** The element with this `data-part` in another one. */
export function part<E extends HTMLElement = HTMLElement>(of: ParentNode, name: string): E {
  const found = of.querySelector<E>(`[data-part="${name}"]`);
  if (found === null) throw new Error(`the page has no part ${name}`);
  return found;
}
