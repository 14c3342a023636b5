// The allow-list machinery of a new VM's definition: what an element may keep, and what was left out, in words (SAFETY F10).
import type { Element } from "./definition-tree.ts";

/** What one element of the source became: nothing, or one or more elements, with what was lost on the way. */
export type Kept = {
	readonly elements: readonly Element[];
	/** What the new VM has not, in words. */
	readonly dropped: readonly string[];
	/** What is otherwise than in the source, in words. */
	readonly changed: readonly string[];
};

export const kept = (...elements: readonly Element[]): Kept => ({
	elements,
	dropped: [],
	changed: [],
});

export const dropped = (what: string): Kept => ({ elements: [], dropped: [what], changed: [] });

export const joinKept = (all: readonly Kept[]): Kept => ({
	elements: all.flatMap((one) => one.elements),
	dropped: all.flatMap((one) => one.dropped),
	changed: all.flatMap((one) => one.changed),
});

/** Names of the attributes and children that an element may keep; `text` when it may keep its text. */
export type Shape = {
	readonly attributes?: readonly string[];
	readonly children?: Readonly<Record<string, Shape>>;
	readonly text?: boolean;
	/** Attributes that may hold anything, such as a password that begins with a slash. */
	readonly free?: readonly string[];
};

/** A shape from attribute names with blanks between. */
export const shape = (
	attributes: string,
	children: Readonly<Record<string, Shape>> = {},
	text = false,
): Shape => ({ attributes: attributes.split(" ").filter((name) => name !== ""), children, text });

type Pruned = { readonly element: Element; readonly lost: readonly string[] };

const hasShape = (
	children: Readonly<Record<string, Shape>> | undefined,
	name: string,
): Shape | undefined =>
	children !== undefined && Object.hasOwn(children, name) ? children[name] : undefined;

/** Looks like a path of a host, or like a name that some programs read as one. */
export const isPathLike = (value: string): boolean =>
	/^\s*(?:\/|~|\.\.?\/|[a-z+]+:\/\/)/i.test(value);

/** An element with only what its shape names. `lost` names what was left out. Values that look like paths are left out whatever the shape says. */
export const prune = (element: Element, allowed: Shape): Pruned => {
	const lost: string[] = [];
	const attributes: Record<string, string> = {};
	for (const [name, value] of Object.entries(element.attributes)) {
		const plain = allowed.attributes?.includes(name) && !isPathLike(value);
		if (plain || allowed.free?.includes(name)) attributes[name] = value;
		else lost.push(`${name}='${value}'`);
	}
	const children: Element[] = [];
	for (const child of element.children) {
		const inner = hasShape(allowed.children, child.name);
		if (inner === undefined) {
			lost.push(describe(child));
			continue;
		}
		const pruned = prune(child, inner);
		children.push(pruned.element);
		lost.push(...pruned.lost.map((one) => `${child.name} ${one}`));
	}
	const text = allowed.text === true && !isPathLike(element.text) ? element.text : "";
	if (text !== element.text && element.text.trim() !== "") lost.push(element.text.trim());
	return { element: { name: element.name, attributes, children, text }, lost };
};

/** What `prune` keeps, with what was lost reported as a change of `label`. */
export const keepShape = (element: Element, allowed: Shape, label: string = element.name): Kept => {
	const { element: pruned, lost } = prune(element, allowed);
	return {
		elements: [pruned],
		dropped: [],
		changed: lost.length === 0 ? [] : [`${label}: without ${lost.join(", ")}`],
	};
};

/** An element as it is, but for anything that looks like a path and for names of other namespaces. For parts of a definition in which libvirt has no paths. */
export const keepPlain = (element: Element, label: string = element.name): Kept => {
	const { element: plain, lost } = strip(element);
	return {
		elements: [plain],
		dropped: [],
		changed: lost.length === 0 ? [] : [`${label}: without ${lost.join(", ")}`],
	};
};

const strip = (element: Element): Pruned => {
	const lost: string[] = [];
	const attributes: Record<string, string> = {};
	for (const [name, value] of Object.entries(element.attributes)) {
		if (name.includes(":") || isPathLike(value)) lost.push(`${name}='${value}'`);
		else attributes[name] = value;
	}
	const children: Element[] = [];
	for (const child of element.children) {
		if (child.name.includes(":") || isPathLike(child.text)) {
			lost.push(describe(child));
			continue;
		}
		const inner = strip(child);
		children.push(inner.element);
		lost.push(...inner.lost);
	}
	return { element: { ...element, attributes, children }, lost };
};

/** Where a device sits says nothing to people. */
const UNTOLD: readonly string[] = ["address", "alias"];

const valuesOf = (element: Element): readonly string[] => [
	...Object.values(element.attributes),
	element.text.trim(),
	...element.children
		.filter(({ name, attributes }) => !UNTOLD.includes(name) || attributes["type"] === undefined)
		.flatMap(valuesOf),
];

const LONGEST = 120;

/** An element in words: its name and the values in it. */
export const describe = (element: Element): string => {
	const values = valuesOf(element).filter((value) => value !== "");
	const text = values.length === 0 ? element.name : `${element.name} (${values.join(" ")})`;
	return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
};

/** Where a device sits and how it is named, which every device may keep. */
export const PLACE: Readonly<Record<string, Shape>> = {
	address: shape(
		"type controller bus target unit domain slot function multifunction port cssid ssid devno base iobase irq reg ",
		{ zpci: shape("uid fid") },
	),
	alias: shape("name"),
	boot: shape("order loadparm"),
	acpi: shape("index"),
};
