// Reads what the restore of one disk to a VM depends on. Nothing is written.
import {
	DEFAULT_STORAGE,
	fileStem,
	freeTarget,
	type RestoreDiskFacts,
	type RestoreDiskRequest,
	readLayers,
} from "@knib/core";
import { diskOverLayers } from "../hypervisor/backing-stores.ts";
import { fileDiskXml, targetsOf } from "../hypervisor/place-disks.ts";
import type { JobDeps } from "../jobs/context.ts";
import { gatherQuick } from "./gather-quick.ts";
import { findInRepository } from "./gather-restore.ts";
import { requireVm } from "./gather-vm.ts";

const MODE_BITS = 0o666;

/** Everything that decides the restore of one disk, read once. Rejects with VM_NOT_FOUND, and NOT_FOUND or AMBIGUOUS_ID for the backup's id. */
export const gatherRestoreDisk = async (
	deps: JobDeps,
	request: RestoreDiskRequest,
): Promise<RestoreDiskFacts> => {
	const { catalog, hypervisor, images, ids } = deps;
	const view = await catalog.findBackup(request.backup);
	const [found, vm] = await Promise.all([
		findInRepository(deps, view),
		requireVm(hypervisor, request.vm),
	]);
	const taken = targetsOf([vm.xml.inactive, vm.xml.live ?? vm.xml.inactive]);
	const target = request.target ?? freeTarget(taken);
	const first = vm.disks.find((disk) => disk.source === "file" && disk.device === "disk")?.path;
	const directory = first?.slice(0, first.lastIndexOf("/")) ?? DEFAULT_STORAGE;
	const stem = `${directory}/${fileStem(vm.name)}-${target}`;
	const path = (await images.exists(`${stem}.qcow2`))
		? `${stem}-${ids.uuid()}.qcow2`
		: `${stem}.qcow2`;
	const model = first === undefined ? undefined : await images.facts(first);
	const quick = await gatherQuick(deps, request.quick, found, null);
	const plain = fileDiskXml({ target, path });
	const layers =
		found === null
			? []
			: (readLayers(found.chain.members, found.backup).disks.find(
					(disk) => disk.target === request.disk,
				)?.layers ?? []);
	const below = layers.map((layer) => layer.path);
	const models = quick === null ? [] : (await deps.machine.capabilities()).securityModels;
	return {
		request,
		view: { id: view.id, vm: view.vm, status: view.status },
		found,
		vm,
		taken,
		target,
		path,
		xml: quick === null ? plain : diskOverLayers(plain, below, models),
		free: (await images.space(directory)).free,
		owner:
			model === undefined
				? { uid: 0, gid: 0, mode: 0o600 }
				: { uid: model.uid, gid: model.gid, mode: model.mode & MODE_BITS, like: model.path },
		quick,
	};
};
