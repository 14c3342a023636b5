// The definition of a restored VM, built from the saved one by an allow-list: whatever is not known to be safe beside the source VM,
// or on another host, is left out and listed (SPEC 6.3, SAFETY F10, F20). Pure.
import type { NetworkRef, NewDefinition } from "@knib/core";
import { keepDevices } from "./definition-devices.ts";
import type { NewDisk } from "./definition-disks.ts";
import { firmwareOf, keepOs } from "./definition-firmware.ts";
import { networkOf, type Wiring } from "./definition-interfaces.ts";
import {
	describe,
	dropped,
	joinKept,
	type Kept,
	keepPlain,
	keepShape,
	kept,
	prune,
	shape,
} from "./definition-keep.ts";
import {
	childOf,
	childrenOf,
	type Element,
	element,
	parseDefinition,
	writeElement,
} from "./definition-tree.ts";

/** What a new definition is made of. */
export type NewDefinitionInput = Wiring & {
	/** The saved inactive definition. */
	readonly xml: string;
	/** The saved live one, for disks that only the running VM had; null when there is none. */
	readonly live: string | null;
	readonly name: string;
	readonly uuid: string;
	/** A new generation id: the guest learns that it is a copy (SAFETY F20). */
	readonly genid: string;
	/** The disks of the backup at their new paths. */
	readonly disks: readonly NewDisk[];
	/** Path of the copied NVRAM; null when the backup holds none. */
	readonly nvram: string | null;
	readonly tpmState: boolean;
};

type Keeper = (part: Element) => Kept;

const plain: Keeper = (part) => keepPlain(part);
const prose: Keeper = (part) => kept(element(part.name, { text: part.text }));

const number = shape("unit", {}, true);
const CPU_TUNING = shape(
	"",
	Object.fromEntries(
		["", "global_", "emulator_", "iothread_"]
			.flatMap((of) => [`${of}period`, `${of}quota`])
			.concat("shares")
			.map((name) => [name, number]),
	),
);

const keepVcpu: Keeper = (vcpu) => {
	const { element: slim, lost } = prune(vcpu, shape("placement current", {}, true));
	const { placement, ...attributes } = slim.attributes;
	return {
		elements: [{ ...slim, attributes: placement === "static" ? slim.attributes : attributes }],
		dropped: [],
		changed: lost.map((one) => `vcpu: without ${one}`),
	};
};

const keepSeclabel: Keeper = (label) => {
	const { type } = label.attributes;
	return type === "static" || type === "none" || label.children.length > 0
		? dropped(`security label: ${describe(label)}`)
		: kept();
};

const GUEST_KIND = "libosinfo:libosinfo";
const OUR_NAMESPACE = "xmlns:knib";

/** What kind of system the guest is, and knib's own tags; what other programs noted stays with the source. */
const keepMetadata: Keeper = (metadata) =>
	kept(
		element("metadata", {
			children: metadata.children.filter(
				({ name, attributes }) =>
					name === GUEST_KIND || (name.startsWith("knib:") && OUR_NAMESPACE in attributes),
			),
		}),
	);

const keepSysinfo =
	(uuid: string): Keeper =>
	(info) => {
		const entry = (one: Element): Element =>
			one.attributes["name"] === "uuid" ? { ...one, text: uuid } : one;
		const files = info.children.filter((child) => child.attributes["file"] !== undefined);
		const sections = info.children
			.filter((child) => !files.includes(child))
			.map((child) =>
				child.name === "system" ? { ...child, children: child.children.map(entry) } : child,
			);
		return {
			elements: [{ ...info, children: sections }],
			dropped: files.map((file) => `firmware configuration: ${describe(file)}`),
			changed: [],
		};
	};

const PLAIN: readonly string[] = [
	"memory",
	"maxMemory",
	"currentMemory",
	"memoryBacking",
	"memtune",
	"vcpus",
	"iothreads",
	"iothreadids",
	"defaultiothread",
	"features",
	"cpu",
	"clock",
	"on_poweroff",
	"on_reboot",
	"on_crash",
	"on_lockfailure",
	"pm",
	"perf",
	"throttlegroups",
];

const keepersFor = (
	input: NewDefinitionInput,
	live: Element | undefined,
): Readonly<Record<string, Keeper>> => ({
	...Object.fromEntries(PLAIN.map((name) => [name, plain])),
	name: () => kept(),
	uuid: () => kept(),
	genid: () => kept(element("genid", { text: input.genid })),
	title: prose,
	description: prose,
	metadata: keepMetadata,
	vcpu: keepVcpu,
	cputune: (part) => keepShape(part, CPU_TUNING),
	blkiotune: (part) => keepShape(part, shape("", { weight: shape("", {}, true) })),
	resource: (part) => ({ ...kept(), changed: [`without ${describe(part)}`] }),
	sysinfo: keepSysinfo(input.uuid),
	os: (part) => keepOs(part, input.nvram),
	seclabel: keepSeclabel,
	devices: (part) => keepDevices(part, { ...input, live }),
});

const unique = (networks: readonly NetworkRef[]): readonly NetworkRef[] =>
	networks.filter(
		(one, index) =>
			networks.findIndex((other) => other.kind === one.kind && other.name === one.name) === index,
	);

const networksOf = (devices: Element | undefined): readonly NetworkRef[] =>
	unique(childrenOf(devices, "interface").flatMap((one) => networkOf(one) ?? []));

/** Makes the definition. Throws VERIFY_FAILED when the saved one cannot be read or is none of a VM. */
export const newDefinition = (input: NewDefinitionInput): NewDefinition => {
	const source = parseDefinition(input.xml);
	const live = input.live === null ? undefined : childOf(parseDefinition(input.live), "devices");
	const keepers = keepersFor(input, live);
	const seen = new Set<string>();
	const all = joinKept(
		source.children.map((part) => {
			const keeper = Object.hasOwn(keepers, part.name) ? keepers[part.name] : undefined;
			if (keeper === undefined) return dropped(describe(part));
			const again = seen.has(part.name) && part.name !== "sysinfo" && part.name !== "seclabel";
			seen.add(part.name);
			return again ? dropped(`a second ${part.name}`) : keeper(part);
		}),
	);
	const { type } = source.attributes;
	const domain = element("domain", {
		attributes: { type },
		children: [
			element("name", { text: input.name }),
			element("uuid", { text: input.uuid }),
			...all.elements,
		],
	});
	return {
		xml: writeElement(domain),
		dropped: all.dropped,
		changed: all.changed,
		sourceNetworks: networksOf(childOf(source, "devices")),
		networks: networksOf(childOf(domain, "devices")),
		firmware: firmwareOf(domain),
	};
};
