import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { Lab } from "./lab.ts";

export type LiveDisk = {
	readonly target: string;
	/** The image written to now: the top of the chain. */
	readonly path: string;
	readonly format: string;
};

const parser = new XMLParser({
	ignoreAttributes: false,
	attributeNamePrefix: "@",
	isArray: (name) => name === "disk",
	parseAttributeValue: false,
});

const diskElement = z.object({
	driver: z.object({ "@type": z.string().optional() }).optional(),
	source: z.object({ "@file": z.string().optional(), "@dev": z.string().optional() }).optional(),
	target: z.object({ "@dev": z.string() }),
});
const domainElement = z.object({
	domain: z.object({ devices: z.object({ disk: z.array(diskElement).default([]) }) }),
});

/** The disks of a domain that have a source, as the running guest has them, else as defined. */
export async function liveDisks(lab: Lab, name: string): Promise<readonly LiveDisk[]> {
	const tree: unknown = parser.parse(await lab.virsh("dumpxml", name));
	return domainElement.parse(tree).domain.devices.disk.flatMap((disk) => {
		const path = disk.source?.["@file"] ?? disk.source?.["@dev"];
		const format = disk.driver?.["@type"] ?? "raw";
		return path === undefined ? [] : [{ target: disk.target["@dev"], path, format }];
	});
}
