import { KnibError } from "@knib/core";
import test from "ava";
import {
	attributeOf,
	elementOf,
	makeElement,
	parseXml,
	textInside,
	writeXml,
	type XmlElement,
} from "../../../apps/host-daemon/src/hypervisor/xml-document.ts";
import { fromVirsh } from "./recorded.ts";

const unreadable = { instanceOf: KnibError, code: "COMMAND_FAILED" };

/** The tree without the white space between elements. */
const meaning = (element: XmlElement): unknown => [
	element.name,
	element.attributes,
	element.children.flatMap((child): unknown[] => {
		if (child.kind === "element") return [meaning(child)];
		return child.raw.trim() === "" ? [] : [child.raw];
	}),
];

for (const name of ["dumpxml-off.xml", "dumpxml-chain-running.xml", "managedsave-dumpxml.xml"]) {
	test(`writeXml › writes what was read: ${name}`, (t) => {
		const tree = parseXml(fromVirsh(name), "domain");
		t.deepEqual(parseXml(writeXml(tree), "domain"), tree);
	});
}

test("writeXml › keeps mixed text, comments, entities and CDATA as they are", (t) => {
	const xml = `<domain><metadata><a:b xmlns:a="urn:x" c='"q"'>one &amp; <c/>two<!-- three --><![CDATA[<four>]]></a:b></metadata></domain>`;
	const tree = parseXml(xml, "domain");
	t.is(
		writeXml(tree),
		`<domain><metadata><a:b xmlns:a="urn:x" c="&quot;q&quot;">one &amp; <c/>two<!-- three --><![CDATA[<four>]]></a:b></metadata></domain>`,
	);
	t.deepEqual(meaning(parseXml(writeXml(tree), "domain")), meaning(tree));
});

test("attributeOf › decodes entities and character references", (t) => {
	const tree = parseXml(`<d a='&lt;&#x41;&#66;&quot;&apos;&amp;amp;'/>`, "d");
	t.is(attributeOf(tree, "a"), `<AB"'&amp;`);
	t.is(attributeOf(tree, "b"), undefined);
});

test("attributeOf › refuses an entity that XML does not know", (t) => {
	const tree = parseXml("<d a='&evil;'/>", "d");
	t.throws(() => attributeOf(tree, "a"), unreadable);
});

test("textInside › joins text and CDATA and leaves comments out", (t) => {
	const tree = parseXml("<d><n> a&amp;b<!-- no --><![CDATA[<c>]]></n></d>", "d");
	t.is(textInside(elementOf(tree, "n")), " a&b<c>");
});

test("makeElement › escapes what it is given", (t) => {
	const value = `/a'b"c<d>&\t\n`;
	const written = writeXml(makeElement("source", { file: value }));
	t.is(attributeOf(parseXml(written, "source"), "file"), value);
});

for (const [what, xml] of [
	["a document type", `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>`],
	["broken XML", "<d><e></d>"],
	["another root", "<e/>"],
	["two roots", "<d/><d/>"],
	["nothing", ""],
	["endless nesting", `${"<d>".repeat(2000)}${"</d>".repeat(2000)}`],
] as const) {
	test(`parseXml › refuses ${what}`, (t) => {
		t.throws(() => parseXml(xml, "d"), unreadable);
	});
}
