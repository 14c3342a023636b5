// A domain definition as a tree of plain elements, read strictly and written with every character escaped again. The text may come
// from a repository that somebody else filled: no document types, no entities of its own, a limit on size and depth (I9).
import { KnibError } from "@knib/core";
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** One element. libvirt's definitions have either children or text, never both in a meaningful way. */
export type Element = {
	readonly name: string;
	readonly attributes: Readonly<Record<string, string>>;
	readonly children: readonly Element[];
	readonly text: string;
};

/** The longest definition that is read, characters. */
export const LONGEST_DEFINITION = 1 << 20;

const MAXIMUM_DEPTH = 40;
const ATTRIBUTES = ":@";
const TEXT = "#text";
const CDATA = "#cdata";

const bad = (why: string, cause?: unknown): KnibError =>
	new KnibError("VERIFY_FAILED", `a VM's definition cannot be read: ${why}`, { cause });

const ENTITIES: ReadonlyMap<string, string> = new Map([
	["amp", "&"],
	["lt", "<"],
	["gt", ">"],
	["quot", '"'],
	["apos", "'"],
]);

/** Characters that XML 1.0 may hold. */
const isXmlCharacter = (code: number): boolean =>
	code === 9 ||
	code === 10 ||
	code === 13 ||
	(code >= 0x20 && code <= 0xd7ff) ||
	(code >= 0xe000 && code <= 0xfffd) ||
	(code >= 0x10000 && code <= 0x10ffff);

const decodeEntity = (name: string): string => {
	const known = ENTITIES.get(name);
	if (known !== undefined) return known;
	const code = /^#x[0-9a-f]{1,6}$/i.test(name)
		? Number.parseInt(name.slice(2), 16)
		: /^#\d{1,7}$/.test(name)
			? Number(name.slice(1))
			: -1;
	if (!isXmlCharacter(code)) throw bad(`entity &${name};`);
	return String.fromCodePoint(code);
};

const decode = (text: string): string =>
	text.replace(/&([^;&]{0,12});?/g, (_, name: string) => decodeEntity(name));

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (nodes: readonly unknown[], key: string): string =>
	nodes.map((node) => (isRecord(node) && typeof node[key] === "string" ? node[key] : "")).join("");

const attributesOf = (node: Record<string, unknown>): Record<string, string> => {
	const raw = node[ATTRIBUTES];
	const attributes: Record<string, string> = {};
	for (const [name, value] of Object.entries(isRecord(raw) ? raw : {})) {
		attributes[name] = decode(typeof value === "string" ? value : "");
	}
	return attributes;
};

const cdataOf = (nodes: readonly unknown[]): string =>
	nodes
		.map((node) => (isRecord(node) && Array.isArray(node[CDATA]) ? textOf(node[CDATA], TEXT) : ""))
		.join("");

const toElements = (nodes: unknown, depth: number): readonly Element[] => {
	if (!Array.isArray(nodes)) return [];
	if (depth > MAXIMUM_DEPTH) throw bad("it is nested too deeply");
	return nodes.flatMap((node: unknown): readonly Element[] => {
		if (!isRecord(node)) return [];
		const name = Object.keys(node).find((key) => key !== ATTRIBUTES);
		if (name === undefined || name === TEXT || name === CDATA || name.startsWith("?")) return [];
		const inner: unknown = node[name];
		const list: readonly unknown[] = Array.isArray(inner) ? inner : [];
		const children = toElements(list, depth + 1);
		const text = children.length > 0 ? "" : decode(textOf(list, TEXT)) + cdataOf(list);
		return [{ name, attributes: attributesOf(node), children, text }];
	});
};

/** Reads a `<domain>` definition. Throws VERIFY_FAILED when it is too long, not well-formed, has a document type, or is of another kind. */
export const parseDefinition = (xml: string): Element => {
	if (xml.length > LONGEST_DEFINITION) throw bad("it is too long");
	if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) throw bad("it has a document type");
	const valid = XMLValidator.validate(xml);
	if (valid !== true) throw bad(valid.err.msg);
	const parser = new XMLParser({
		preserveOrder: true,
		ignoreAttributes: false,
		attributeNamePrefix: "",
		parseTagValue: false,
		parseAttributeValue: false,
		trimValues: false,
		processEntities: false,
		cdataPropName: CDATA,
	});
	let nodes: unknown;
	try {
		nodes = parser.parse(xml);
	} catch (error) {
		throw bad(error instanceof Error ? error.message : "the parser refused it", error);
	}
	const [domain, ...more] = toElements(nodes, 0);
	if (domain?.name !== "domain" || more.length > 0) throw bad("it is no domain");
	return domain;
};

const escapeText = (text: string): string =>
	[...text]
		.filter((char) => isXmlCharacter(char.codePointAt(0) ?? 0))
		.join("")
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;");

const escapeAttribute = (text: string): string =>
	escapeText(text)
		.replaceAll('"', "&quot;")
		.replaceAll("'", "&apos;")
		.replace(/[\t\n\r]/g, (char) => `&#${char.codePointAt(0)};`);

/** Writes an element with all below it, indented. */
export const writeElement = (element: Element, indent = ""): string => {
	const attributes = Object.entries(element.attributes)
		.map(([name, value]) => ` ${name}='${escapeAttribute(value)}'`)
		.join("");
	const open = `${indent}<${element.name}${attributes}`;
	if (element.children.length === 0 && element.text.trim() === "") return `${open}/>\n`;
	if (element.children.length === 0) {
		return `${open}>${escapeText(element.text)}</${element.name}>\n`;
	}
	const inner = element.children.map((child) => writeElement(child, `${indent}  `)).join("");
	return `${open}>\n${inner}${indent}</${element.name}>\n`;
};

type Parts = {
	readonly attributes?: Readonly<Record<string, string | undefined>>;
	readonly children?: readonly Element[];
	readonly text?: string;
};

/** An element; attributes without a value are left out. */
export const element = (name: string, parts: Parts = {}): Element => {
	const attributes: Record<string, string> = {};
	for (const [key, value] of Object.entries(parts.attributes ?? {})) {
		if (value !== undefined) attributes[key] = value;
	}
	return { name, attributes, children: parts.children ?? [], text: parts.text ?? "" };
};

/** The first child of a name. */
export const childOf = (parent: Element | undefined, name: string): Element | undefined =>
	parent?.children.find((child) => child.name === name);

/** All children of a name. */
export const childrenOf = (parent: Element | undefined, name: string): readonly Element[] =>
	parent?.children.filter((child) => child.name === name) ?? [];

/** An element with only some of its attributes. */
export const pickAttributes = (
	from: Element | undefined,
	names: readonly string[],
): Readonly<Record<string, string>> =>
	Object.fromEntries(
		Object.entries(from?.attributes ?? {}).filter(([name]) => names.includes(name)),
	);
