// libvirt's XML as a tree that loses nothing: text, attributes and comments stay as they were written, so that a definition can
// be changed in one place and defined again. Values are decoded when they are read. Document types and entities of the text's
// own are refused (I9).
import { KnibError } from "@knib/core";
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** Text, comment or CDATA exactly as it was written. */
export type XmlRaw = { readonly kind: "raw"; readonly raw: string };

export type XmlElement = {
	readonly kind: "element";
	readonly name: string;
	/** As written, entities and all, fit for double quotes; read them by {@link attributeOf}. */
	readonly attributes: Readonly<Record<string, string>>;
	readonly children: readonly XmlNode[];
};

export type XmlNode = XmlElement | XmlRaw;

const LONGEST = 16 * 1024 * 1024;
const DEEPEST = 500;
const ATTRIBUTES = ":@";
const TEXT = "#text";
const CDATA = "#cdata";
const COMMENT = "#comment";

const unreadable = (why: string): KnibError =>
	new KnibError("COMMAND_FAILED", `libvirt's XML cannot be read: ${why}`);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const stringOf = (value: unknown): string => (typeof value === "string" ? value : "");

const innerText = (value: unknown): string =>
	listOf(value)
		.map((part) => (isRecord(part) ? stringOf(part[TEXT]) : ""))
		.join("");

const toNode = (node: unknown, depth: number): readonly XmlNode[] => {
	if (!isRecord(node)) return [];
	if (depth > DEEPEST) throw unreadable("it is nested too deeply");
	const name = Object.keys(node).find((key) => key !== ATTRIBUTES);
	if (name === undefined || name.startsWith("?")) return [];
	if (name === TEXT) return [{ kind: "raw", raw: stringOf(node[TEXT]) }];
	if (name === CDATA) return [{ kind: "raw", raw: `<![CDATA[${innerText(node[CDATA])}]]>` }];
	if (name === COMMENT) return [{ kind: "raw", raw: `<!--${innerText(node[COMMENT])}-->` }];
	const found = node[ATTRIBUTES];
	const attributes = Object.fromEntries(
		Object.entries(isRecord(found) ? found : {}).map(([key, value]) => [
			key,
			stringOf(value).replaceAll('"', "&quot;"),
		]),
	);
	const children = listOf(node[name]).flatMap((child) => toNode(child, depth + 1));
	return [{ kind: "element", name, attributes, children }];
};

const PARSER = {
	preserveOrder: true,
	ignoreAttributes: false,
	attributeNamePrefix: "",
	parseTagValue: false,
	parseAttributeValue: false,
	trimValues: false,
	processEntities: false,
	cdataPropName: CDATA,
	commentPropName: COMMENT,
	maxNestedTags: DEEPEST,
} as const;

const parseNodes = (xml: string): unknown => {
	try {
		return new XMLParser(PARSER).parse(xml);
	} catch (thrown) {
		throw unreadable(thrown instanceof Error ? thrown.message : "the parser refused it");
	}
};

/** Reads a document with one root element of the given name. Throws COMMAND_FAILED when it is not well-formed, has a document type, or is of another kind. */
export const parseXml = (xml: string, root: string): XmlElement => {
	if (xml.length > LONGEST) throw unreadable("it is too long");
	if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) throw unreadable("it has a document type");
	const valid = XMLValidator.validate(xml);
	if (valid !== true) throw unreadable(valid.err.msg);
	const elements = listOf(parseNodes(xml))
		.flatMap((node) => toNode(node, 0))
		.filter((node) => node.kind === "element");
	const [first, ...more] = elements;
	if (first?.name !== root || more.length > 0) throw unreadable(`it is no <${root}>`);
	return first;
};

const ENTITIES: Readonly<Record<string, string>> = {
	amp: "&",
	lt: "<",
	gt: ">",
	quot: '"',
	apos: "'",
};

const decodeEntity = (whole: string, name: string): string => {
	const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
	if (known !== undefined) return known;
	const hex = /^#x([0-9a-f]{1,6})$/i.exec(name)?.[1];
	const decimal = /^#(\d{1,7})$/.exec(name)?.[1];
	const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
	if (!Number.isInteger(code) || code > 0x10ffff) throw unreadable(`it has the entity ${whole}`);
	return String.fromCodePoint(code);
};

const decode = (raw: string): string => raw.replace(/&([^;]*);/g, decodeEntity);

const escapeXml = (text: string): string =>
	text
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;")
		.replaceAll('"', "&quot;")
		.replaceAll("'", "&apos;")
		.replace(/[\t\n\r]/g, (char) => `&#${char.codePointAt(0)};`);

/** A decoded attribute. */
export const attributeOf = (element: XmlElement | undefined, name: string): string | undefined => {
	const raw = element?.attributes[name];
	return raw === undefined ? undefined : decode(raw);
};

/** All child elements, or those of a name. */
export const elementsOf = (parent: XmlElement | undefined, name?: string): readonly XmlElement[] =>
	(parent?.children ?? []).filter(
		(node): node is XmlElement =>
			node.kind === "element" && (name === undefined || node.name === name),
	);

/** The first child of a name, or the first down a path of names. */
export const elementOf = (
	parent: XmlElement | undefined,
	...path: readonly string[]
): XmlElement | undefined =>
	path.reduce<XmlElement | undefined>((at, name) => elementsOf(at, name)[0], parent);

/** The decoded text directly inside an element. */
export const textInside = (element: XmlElement | undefined): string =>
	(element?.children ?? [])
		.map((node) => {
			if (node.kind === "element") return "";
			const cdata = /^<!\[CDATA\[([\s\S]*)\]\]>$/.exec(node.raw)?.[1];
			if (cdata !== undefined) return cdata;
			return node.raw.startsWith("<!--") ? "" : decode(node.raw);
		})
		.join("");

/** An element and all elements below it, in the order of the text. */
export const allElements = (element: XmlElement): readonly XmlElement[] => [
	element,
	...elementsOf(element).flatMap(allElements),
];

/** A new element; attribute values are plain text. */
export const makeElement = (
	name: string,
	attributes: Readonly<Record<string, string>>,
	children: readonly XmlNode[] = [],
): XmlElement => ({
	kind: "element",
	name,
	attributes: Object.fromEntries(
		Object.entries(attributes).map(([key, value]) => [key, escapeXml(value)]),
	),
	children,
});

/** A copy with its child elements put through `change`; one that becomes undefined is left out. */
export const mapElements = (
	parent: XmlElement,
	change: (child: XmlElement) => XmlElement | undefined,
): XmlElement => ({
	...parent,
	children: parent.children.flatMap((node): readonly XmlNode[] => {
		if (node.kind === "raw") return [node];
		const changed = change(node);
		return changed === undefined ? [] : [changed];
	}),
});

/** The text of an element; what was parsed and not changed comes out with the same meaning and the same white space. */
export const writeXml = (node: XmlNode): string => {
	if (node.kind === "raw") return node.raw;
	const attributes = Object.entries(node.attributes)
		.map(([name, raw]) => ` ${name}="${raw}"`)
		.join("");
	if (node.children.length === 0) return `<${node.name}${attributes}/>`;
	return `<${node.name}${attributes}>${node.children.map(writeXml).join("")}</${node.name}>`;
};
