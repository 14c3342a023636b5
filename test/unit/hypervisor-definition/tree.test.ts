import { KnibError } from "@knib/core";
import test from "ava";
import { namesInDefinition } from "../../../apps/host-daemon/src/hypervisor/definition-names.ts";
import {
	childOf,
	parseDefinition,
	writeElement,
} from "../../../apps/host-daemon/src/hypervisor/definition-tree.ts";
import { aDomain, fixture } from "../../support/builders/definition.ts";

test("namesInDefinition › names networks, bridges and pools, each once", (t) => {
	t.deepEqual(namesInDefinition(fixture("everything")), {
		networks: ["default", "br-storage"],
		pools: ["images"],
	});
	const twice = "<interface type='network'><source network='lan'/></interface>";
	t.deepEqual(namesInDefinition(aDomain(twice + twice)), { networks: ["lan"], pools: [] });
	t.deepEqual(namesInDefinition("<domain/>"), { networks: [], pools: [] });
});

test("parseDefinition › reads what it wrote", (t) => {
	for (const name of ["everything", "plain", "firmware-auto"] as const) {
		const tree = parseDefinition(fixture(name));
		const again = parseDefinition(writeElement(tree));
		t.is(writeElement(again), writeElement(tree));
	}
});

test("parseDefinition › keeps every character of a value", (t) => {
	const value = `"ü" 'x' <&> \t\n😀`;
	const written = writeElement({
		name: "domain",
		attributes: { a: value },
		children: [{ name: "name", attributes: {}, children: [], text: value }],
		text: "",
	});
	const tree = parseDefinition(written);
	t.is(tree.attributes["a"], value);
	t.is(childOf(tree, "name")?.text, value);
});

test("parseDefinition › takes CDATA and character references literally", (t) => {
	const tree = parseDefinition("<domain a='&#65;&#x42;'><name><![CDATA[<&amp;>]]></name></domain>");
	t.is(tree.attributes["a"], "AB");
	t.is(childOf(tree, "name")?.text, "<&amp;>");
});

test("writeElement › drops characters that XML cannot hold", (t) => {
	const element = { name: "name", attributes: {}, children: [], text: "a\u0000\u001bb\ufffe" };
	t.is(writeElement(element), "<name>ab</name>\n");
});

const BAD: readonly (readonly [string, string])[] = [
	["a document type", "<!DOCTYPE domain [<!ENTITY x 'y'>]><domain><name>&x;</name></domain>"],
	["an entity of its own", "<domain><name>&x;</name></domain>"],
	["a bare ampersand", "<domain><name>a & b</name></domain>"],
	["a character reference that is none", "<domain><name>&#0;</name></domain>"],
	["another root", "<domainsnapshot/>"],
	["two roots", "<domain/><domain/>"],
	["no root", "plain text"],
	["nothing", ""],
	["an element left open", "<domain><name></domain>"],
	["endless nesting", `<domain>${"<a>".repeat(60)}${"</a>".repeat(60)}</domain>`],
	["a name that is no name", "<domain><__proto__/></domain>"],
	["more than anybody writes", `<domain><name>${"x".repeat(1 << 20)}</name></domain>`],
];
for (const [title, xml] of BAD) {
	test(`parseDefinition › refuses ${title}`, (t) => {
		const error = t.throws(() => parseDefinition(xml), { instanceOf: KnibError });
		t.is(error.code, "VERIFY_FAILED");
	});
}
