// One VM as libvirt shows it now, out of several virsh calls. When the VM starts or stops between two of them the picture is
// taken again.
import { stat } from "node:fs/promises";
import { KnibError, type Vm, type VmSnapshot } from "@knib/core";
import {
	isLiveDefinition,
	readSnapshot,
	readVm,
	type VolumePlace,
	volumeKey,
	volumesIn,
} from "./domain-xml.ts";
import { readRun } from "./process-run.ts";
import { virshArgv } from "./virsh-argv.ts";
import type { Virsh } from "./virsh-client.ts";
import { parseBlockJob, parseDominfo, parseNames } from "./virsh-parse.ts";

const TRIES = 5;

/** Where the volumes of storage pools lie, asked of libvirt once each. */
export const resolveVolumes = async (
	virsh: Virsh,
	xmls: readonly string[],
): Promise<ReadonlyMap<string, VolumePlace>> => {
	const places = new Map<string, VolumePlace>();
	for (const volume of xmls.flatMap(volumesIn)) {
		const key = volumeKey(volume);
		if (places.has(key)) continue;
		const path = (await virsh(virshArgv.volumePath(volume.pool, volume.volume))).trim();
		if (!path.startsWith("/")) continue;
		const isBlock = await stat(path).then(
			(found) => found.isBlockDevice(),
			() => false,
		);
		places.set(key, { kind: isBlock ? "block" : "file", path });
	}
	return places;
};

/** Snapshots that libvirt keeps metadata of. */
export const readSnapshots = async (virsh: Virsh, uuid: string): Promise<readonly VmSnapshot[]> => {
	const snapshots: VmSnapshot[] = [];
	for (const name of parseNames(await virsh(virshArgv.snapshots(uuid)))) {
		snapshots.push(readSnapshot(await virsh(virshArgv.snapshotXml(uuid, name))));
	}
	return snapshots;
};

const busyTargets = async (virsh: Virsh, vm: Vm): Promise<ReadonlySet<string>> => {
	const busy = new Set<string>();
	for (const { target, path } of vm.disks) {
		if (path === undefined) continue;
		const job = parseBlockJob(await virsh(virshArgv.blockjob(vm.uuid, target)));
		if (job !== undefined) busy.add(target);
	}
	return busy;
};

/** The definitions of a VM; `live` only while it runs. */
export const readDefinitions = async (virsh: Virsh, uuid: string): Promise<Vm["xml"]> => {
	const current = await virsh(virshArgv.dumpxml(uuid, "current"));
	if (!isLiveDefinition(current)) return { inactive: current };
	return { inactive: await virsh(virshArgv.dumpxml(uuid, "inactive")), live: current };
};

const picture = async (virsh: Virsh, uuid: string): Promise<Vm | undefined> => {
	const info = parseDominfo(await virsh(virshArgv.dominfo(uuid)));
	const xml = await readDefinitions(virsh, uuid);
	const runs = info.state === "running" || info.state === "paused";
	if (info.state !== "other" && runs !== (xml.live !== undefined)) return undefined;
	const volumes = await resolveVolumes(virsh, [xml.live ?? xml.inactive]);
	const snapshots = await readSnapshots(virsh, uuid);
	const checkpoints = parseNames(await virsh(virshArgv.checkpoints(uuid))).length;
	const run = xml.live === undefined ? undefined : await readRun(uuid);
	const answers = {
		...info,
		...(run === undefined ? {} : { run }),
		snapshots,
		checkpoints,
		volumes,
	};
	const vm = readVm(xml, { ...answers, busy: new Set() });
	if (xml.live === undefined) return vm;
	const busy = await busyTargets(virsh, vm);
	const after = parseDominfo(await virsh(virshArgv.dominfo(uuid)));
	return after.state === info.state ? readVm(xml, { ...answers, busy }) : undefined;
};

/** A VM by uuid. Rejects with VM_NOT_FOUND, and with VM_STATE when it does not hold still to be looked at. */
export const readPicture = async (virsh: Virsh, uuid: string): Promise<Vm> => {
	for (let left = TRIES; left > 0; left -= 1) {
		try {
			const vm = await picture(virsh, uuid);
			if (vm !== undefined) return vm;
		} catch (thrown) {
			// A call that needs a running VM fails when it stops right then; the next look tells.
			if (left === 1 || !isStateRace(thrown)) throw thrown;
		}
	}
	throw new KnibError("VM_STATE", `the VM ${uuid} starts and stops while it is being looked at`);
};

const isStateRace = (thrown: unknown): boolean =>
	thrown instanceof KnibError && /domain is not running/.test(thrown.message);
