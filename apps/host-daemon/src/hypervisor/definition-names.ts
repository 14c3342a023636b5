import { childOf, childrenOf, parseDefinition } from "./definition-tree.ts";

const unique = (names: readonly (string | undefined)[]): string[] => [
	...new Set(names.filter((name): name is string => name !== undefined && name !== "")),
];

/** What a definition names outside itself: libvirt networks and bridges of its interfaces, and pools of its disks, each once, in the definition's order (SPEC 2.9). Throws VERIFY_FAILED when it cannot be read. */
export const namesInDefinition = (xml: string): { networks: string[]; pools: string[] } => {
	const devices = childOf(parseDefinition(xml), "devices");
	const sources = childrenOf(devices, "interface").map((one) => childOf(one, "source")?.attributes);
	const disks = childrenOf(devices, "disk").map((one) => childOf(one, "source")?.attributes);
	return {
		networks: unique(sources.map((source) => source?.["network"] ?? source?.["bridge"])),
		pools: unique(disks.map((source) => source?.["pool"])),
	};
};
