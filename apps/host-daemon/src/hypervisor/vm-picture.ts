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
	const names = parseNames(await virsh(virshArgv.snapshots(uuid)));
	return Promise.all(
		names.map(async (name) => readSnapshot(await virsh(virshArgv.snapshotXml(uuid, name)))),
	);
};

const busyTargets = async (virsh: Virsh, vm: Vm): Promise<ReadonlySet<string>> => {
	const jobs = await Promise.all(
		vm.disks.map(async ({ target, path }) =>
			path !== undefined && parseBlockJob(await virsh(virshArgv.blockjob(vm.uuid, target)))
				? [target]
				: [],
		),
	);
	return new Set(jobs.flat());
};

/** The definitions of a VM; `live` only while it runs. */
export const readDefinitions = async (virsh: Virsh, uuid: string): Promise<Vm["xml"]> => {
	const [current, inactive] = await Promise.all([
		virsh(virshArgv.dumpxml(uuid, "current")),
		virsh(virshArgv.dumpxml(uuid, "inactive")),
	]);
	return isLiveDefinition(current) ? { inactive, live: current } : { inactive: current };
};

const picture = async (virsh: Virsh, uuid: string): Promise<Vm | undefined> => {
	const [info, xml, snapshots, checkpoints] = await Promise.all([
		virsh(virshArgv.dominfo(uuid)).then(parseDominfo),
		readDefinitions(virsh, uuid),
		readSnapshots(virsh, uuid),
		virsh(virshArgv.checkpoints(uuid)).then((text) => parseNames(text).length),
	]);
	const runs = info.state === "running" || info.state === "paused";
	if (info.state !== "other" && runs !== (xml.live !== undefined)) return undefined;
	const volumes = await resolveVolumes(virsh, [xml.live ?? xml.inactive]);
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
	const [busy, after] = await Promise.all([
		busyTargets(virsh, vm),
		virsh(virshArgv.dominfo(uuid)).then(parseDominfo),
	]);
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
