// The one atomic switch of a VM's disks onto overlays that exist, and the look back that it happened (SAFETY F5).
import { KnibError } from "@knib/core";
import { disksOfDomain, sourceOf, targetOf } from "./domain-images.ts";
import { snapshotXml, virshArgv } from "./virsh-argv.ts";
import type { Virsh } from "./virsh-client.ts";
import { parseXml } from "./xml-document.ts";

type Overlay = { readonly target: string; readonly path: string };

const topPaths = async (virsh: Virsh, uuid: string): Promise<ReadonlyMap<string, string>> => {
	const xml = await virsh(virshArgv.dumpxml(uuid, "current"));
	const tops = new Map<string, string>();
	for (const disk of disksOfDomain(parseXml(xml, "domain"))) {
		const source = sourceOf(disk);
		tops.set(targetOf(disk), "path" in source ? source.path : "");
	}
	return tops;
};

const onOverlays = (tops: ReadonlyMap<string, string>, overlays: readonly Overlay[]): boolean =>
	overlays.every(({ target, path }) => tops.get(target) === path);

/** Puts all given disks onto their overlays at one moment, running, paused or shut off; done already is done. Rejects with NOT_FOUND when the VM has no such disk, COMMAND_FAILED, VERIFY_FAILED when libvirt does not name the overlays afterwards. */
export const switchToOverlays = async (
	virsh: Virsh,
	uuid: string,
	overlays: readonly Overlay[],
): Promise<void> => {
	const before = await topPaths(virsh, uuid);
	const unknown = overlays.find(({ target }) => !before.has(target));
	if (unknown !== undefined) {
		throw new KnibError("NOT_FOUND", `the VM ${uuid} has no disk ${unknown.target}`);
	}
	if (overlays.length === 0 || onOverlays(before, overlays)) return;
	const xml = snapshotXml(overlays, [...before.keys()]);
	await virsh(virshArgv.snapshot(uuid), { input: xml });
	if (!onOverlays(await topPaths(virsh, uuid), overlays)) {
		throw new KnibError("VERIFY_FAILED", `libvirt does not name the overlays of ${uuid}`);
	}
};
