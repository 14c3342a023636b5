// Network interfaces of a new VM's definition: those on a libvirt network or a bridge, with new MAC addresses unless they are to be
// kept, and without anything that another VM on the host may have too.
import type { NetworkRef } from "@knib/core";
import { describe, dropped, type Kept, keepShape, PLACE, shape } from "./definition-keep.ts";
import { childOf, type Element, element } from "./definition-tree.ts";

/** How interfaces are connected. */
export type Wiring = {
	/** Where the interfaces of a network go. */
	readonly connect: (network: NetworkRef) => NetworkRef;
	readonly keepMac: boolean;
	/** New addresses, one for each interface of the definition. */
	readonly macs: readonly string[];
};

const TUNING = "average peak burst floor";
const OFFLOADS = "csum gso tso4 tso6 ecn ufo mrg_rxbuf";

const INTERFACE = shape("trustGuestRxFilters", {
	model: shape("type"),
	driver: shape(
		"name txmode ioeventfd event_idx queues rx_queue_size tx_queue_size rss rss_hash_report iommu ats packed page_per_vq",
		{ host: shape(OFFLOADS), guest: shape(OFFLOADS) },
	),
	link: shape("state"),
	mtu: shape("size"),
	port: shape("isolated"),
	coalesce: shape("", { rx: shape("", { frames: shape("max") }) }),
	bandwidth: shape("", { inbound: shape(TUNING), outbound: shape(TUNING) }),
	filterref: shape("filter", { parameter: shape("name value") }),
	rom: shape("bar enabled"),
	...PLACE,
});

/** Parts that belong to the network itself: they stay only where the interface stays on it. */
const OF_THE_NETWORK = {
	vlan: shape("trunk", { tag: shape("id nativeMode") }),
	virtualport: shape("type", {
		parameters: shape("profileid managerid typeid typeidversion instanceid"),
	}),
};

/** The network of an interface; undefined for one that is connected in another way. */
export const networkOf = (one: Element): NetworkRef | undefined => {
	const source = childOf(one, "source")?.attributes ?? {};
	const { type } = one.attributes;
	const name = type === "network" ? source["network"] : source["bridge"];
	if ((type !== "network" && type !== "bridge") || name === undefined || name === "") {
		return undefined;
	}
	return { kind: type, name };
};

const same = (a: NetworkRef, b: NetworkRef): boolean => a.kind === b.kind && a.name === b.name;

const sourceOf = (to: NetworkRef, portgroup: string | undefined): Element =>
	element("source", { attributes: { [to.kind]: to.name, portgroup } });

/** One interface of the new VM. `index` is its position in the source. */
export const keepInterface = (one: Element, index: number, wiring: Wiring): Kept => {
	const from = networkOf(one);
	if (from === undefined) return dropped(describe(one));
	const to = wiring.connect(from);
	const stays = same(from, to);
	const old = childOf(one, "mac")?.attributes["address"];
	const mac = wiring.keepMac ? old : wiring.macs[index];
	const shaped = stays
		? { ...INTERFACE, children: { ...INTERFACE.children, ...OF_THE_NETWORK } }
		: INTERFACE;
	const rest = {
		...one,
		attributes: { ...one.attributes },
		children: one.children.filter((child) => !["mac", "source"].includes(child.name)),
	};
	delete rest.attributes["type"];
	const slim = keepShape(rest, shaped, `interface on ${from.kind} ${from.name}`);
	const portgroup = stays ? childOf(one, "source")?.attributes["portgroup"] : undefined;
	return {
		...slim,
		elements: slim.elements.map((kept) =>
			element("interface", {
				attributes: { type: to.kind, ...kept.attributes },
				children: [
					...(mac === undefined ? [] : [element("mac", { attributes: { address: mac } })]),
					sourceOf(to, portgroup),
					...kept.children,
				],
			}),
		),
		changed: [
			...(stays ? [] : [`interface on ${from.kind} ${from.name}: now on ${to.kind} ${to.name}`]),
			...slim.changed,
		],
	};
};
