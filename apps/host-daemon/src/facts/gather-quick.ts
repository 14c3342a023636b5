// What quick restores and their consolidation depend on. Nothing is written.
import { readFile } from "node:fs/promises";
import {
	type ConsolidateFacts,
	type ConsolidateRequest,
	type FoundBackup,
	KnibError,
	offeringFieldsSchema,
	type QuickFacts,
	readLayers,
} from "@knib/core";
import { policiesOf } from "../hypervisor/backing-stores.ts";
import type { JobDeps } from "../jobs/context.ts";
import { findQuick } from "../jobs/quick-record.ts";
import { requireVm } from "./gather-vm.ts";

const MEGABYTE = 1_000_000;
const MOUNTS = "/proc/self/mountinfo";

/** The options of the mount that a path lies on, comma-separated. */
export const mountOptionsOf = (mountinfo: string, path: string): string => {
	const mounts = mountinfo.split("\n").flatMap((line) => {
		const [own, rest] = line.split(" - ");
		const point = own?.split(" ")[4]?.replaceAll("\\040", " ");
		const options = rest?.split(" ")[2];
		if (point === undefined || options === undefined) return [];
		const above = point === "/" ? "/" : `${point}/`;
		return `${path}/`.startsWith(above) ? [{ point, options }] : [];
	});
	// The last one on a mount point hides the others.
	return mounts.reduce((best, one) => (one.point.length >= best.point.length ? one : best), {
		point: "",
		options: "",
	}).options;
};

const softMount = async (path: string): Promise<readonly string[]> => {
	const options = mountOptionsOf(await readFile(MOUNTS, "utf8").catch(() => ""), path);
	if (!options.split(",").includes("soft")) return [];
	return [
		"the repository is mounted `soft`: an outage pauses the VM sooner than `hard` would; it is resumed",
	];
};

/** What a quick restore of a backup depends on; null when none was asked for. `xml`: the definition whose disks it concerns. */
export const gatherQuick = async (
	deps: JobDeps,
	asked: boolean,
	found: FoundBackup | null,
	xml: string | null,
): Promise<QuickFacts | null> => {
	if (!asked) return null;
	if (found === null) return { allowed: true, obstacles: [], warnings: [], policies: {} };
	const policy = offeringFieldsSchema
		.pick({ allowQuickRestore: true })
		.loose()
		.safeParse(found.backup.manifest.offering);
	const { qemuUser } = await deps.machine.capabilities();
	const user = qemuUser ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
	const { disks } = readLayers(found.chain.members, found.backup);
	const layers = disks.flatMap((disk) => disk.layers.map((layer) => layer.path));
	const unreadable = await deps.machine.unreadable(user, layers);
	return {
		allowed: policy.success && policy.data.allowQuickRestore,
		obstacles: unreadable.map(
			(path) => `qemu's user (uid ${user.uid}, gid ${user.gid}) cannot read ${path}`,
		),
		warnings: await softMount(found.backup.path),
		policies: xml === null ? {} : policiesOf(xml),
	};
};

/** Everything that decides a consolidation. Rejects with VM_NOT_FOUND, and NOT_FOUND for a VM that stands on no layers. */
export const gatherConsolidate = async (
	deps: JobDeps,
	request: ConsolidateRequest,
): Promise<ConsolidateFacts> => {
	const vm = await requireVm(deps.hypervisor, request.vm);
	const [oldest] = await findQuick(vm);
	if (oldest === undefined) {
		throw new KnibError("NOT_FOUND", `VM ${vm.name} stands on no layers of a repository`);
	}
	const rate = await deps.catalog.setting("backup.restore.consolidate.rate.limit", {
		vm: vm.uuid,
	});
	return {
		vm: { uuid: vm.uuid, name: vm.name },
		quick: { ...oldest.record, record: oldest.path },
		rate: rate * MEGABYTE,
	};
};

/** A VM that still stands on the repository is not backed up (SAFETY F18). Rejects with VM_BUSY. */
export const assertConsolidated = async (deps: JobDeps, idOrName: string): Promise<void> => {
	const vm = await requireVm(deps.hypervisor, idOrName);
	const [quick] = await findQuick(vm);
	if (quick === undefined) return;
	throw new KnibError(
		"VM_BUSY",
		`VM ${vm.name} still stands on backup ${quick.record.backup}: it is backed up once its consolidation is done`,
	);
};
