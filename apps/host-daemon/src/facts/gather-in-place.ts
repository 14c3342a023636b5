// Reads what a restore over a VM's own disks depends on, and what is left of earlier ones. Nothing is written.
import { lstat } from "node:fs/promises";
import {
	DEFAULT_STORAGE,
	type DiskFacts,
	type DiskPlace,
	type FileUse,
	type FoundBackup,
	fileStem,
	type InPlaceFacts,
	isOverlayName,
	type KeptDisksRequest,
	type KeptFacts,
	KnibError,
	type RestoreInPlaceRequest,
	settingMilliseconds,
	type Vm,
	whySkipped,
} from "@knib/core";
import { diskXml } from "../hypervisor/place-disks.ts";
import type { JobDeps } from "../jobs/context.ts";
import { GONE } from "../jobs/gone-files.ts";
import { findRecords } from "../jobs/kept-record.ts";
import { findQuick } from "../jobs/quick-record.ts";
import { gatherChains, openChainFacts } from "./gather-chain.ts";
import { gatherQuick } from "./gather-quick.ts";
import { findInRepository, readMachine } from "./gather-restore.ts";
import { gatherDisks, requireVm } from "./gather-vm.ts";

const SHUTDOWN_MS = 300_000;
const MODE_BITS = 0o666;

type Old = Pick<DiskPlace, "path" | "format" | "old" | "problem">;

const cannot = (problem: string): Old => ({ path: "", format: "qcow2", old: [], problem });

const oldOf = async ({ disk, images, problem }: DiskFacts): Promise<Old> => {
	const skipped = whySkipped(disk);
	if (skipped !== undefined) return cannot(`cannot be replaced: ${skipped}`);
	if (problem !== null) return cannot(`cannot be read: ${problem}`);
	if (disk.encrypted) return cannot("is encrypted");
	const base = images.findIndex((image) => !isOverlayName(image.path));
	const image = images[base];
	if (image === undefined) return cannot("has no image of its own");
	const mine = images.slice(0, base + 1);
	if (mine.some((one) => one.dataFile !== undefined)) return cannot("has an external data file");
	const { format, path } = image;
	if (format !== "qcow2" && format !== "raw") return cannot(`is of format ${format}`);
	for (const one of mine) {
		if (!(await lstat(one.path)).isFile())
			return cannot(`stands on ${one.path}, which is no plain file`);
	}
	const old = mine.map((one) => ({
		path: one.path,
		format: one.format === "raw" ? ("raw" as const) : ("qcow2" as const),
	}));
	return { path, format, old, problem: null };
};

type Placing = {
	readonly vm: Vm;
	readonly disks: readonly DiskFacts[];
	readonly found: FoundBackup;
	readonly id: string;
};

const lostPlace = async (deps: JobDeps, input: Placing, target: string): Promise<DiskPlace> => {
	const { vm, disks, found, id } = input;
	const lost = diskXml((await readMachine(found)).xml, target) ?? null;
	const first = disks.find(({ disk }) => disk.source === "file" && disk.path !== undefined);
	const beside = first?.disk.path ?? `${DEFAULT_STORAGE}/x`;
	const stem = `${beside.slice(0, beside.lastIndexOf("/"))}/${fileStem(vm.name)}-${target}`;
	const taken = await deps.images.exists(`${stem}.qcow2`);
	return {
		target,
		path: taken ? `${stem}-${id}.qcow2` : `${stem}.qcow2`,
		format: "qcow2",
		old: [],
		lost,
		problem: lost === null ? "is not in the saved definition" : null,
	};
};

const placesOf = async (deps: JobDeps, input: Placing): Promise<readonly DiskPlace[]> => {
	const places: DiskPlace[] = [];
	for (const { target } of input.found.backup.manifest.generation.layers) {
		const facts = input.disks.find(({ disk }) => disk.target === target);
		places.push(
			facts === undefined
				? await lostPlace(deps, input, target)
				: { target, lost: null, ...(await oldOf(facts)) },
		);
	}
	return places;
};

/** Uses of the images to be set aside by other VMs, and by images in the same directories that no definition names. */
const strangersOf = async (
	deps: JobDeps,
	vm: Vm,
	places: readonly DiskPlace[],
): Promise<readonly FileUse[]> => {
	const paths = new Set(places.flatMap(({ old }) => old.map(({ path }) => path)));
	const files = new Set<string | null>();
	for (const path of paths) files.add(await deps.images.identity(path));
	const isOld = (path: string, file: string | null): boolean =>
		paths.has(path) || (file !== null && files.has(file));
	const uses = (await deps.hypervisor.fileUses()).filter(
		(use) => isOld(use.path, use.file) && use.vm !== vm.uuid,
	);
	const beside: FileUse[] = [];
	for (const place of places.filter(({ old }) => old.length > 0)) {
		for (const { path, backing } of await deps.images.imagesBeside(place.path)) {
			// What was retired a moment ago is on its way out: nothing needs it.
			if (backing === null || path.endsWith(GONE)) continue;
			const file = await deps.images.identity(backing);
			if (!isOld(backing, file) || paths.has(path)) continue;
			beside.push({ path: backing, file, vm: path, where: "backing", writable: false });
		}
	}
	return [...uses, ...beside];
};

const ownerOf = async (
	deps: JobDeps,
	places: readonly DiskPlace[],
): Promise<InPlaceFacts["owner"]> => {
	const model = places.find(({ old }) => old.length > 0);
	if (model === undefined) return { uid: 0, gid: 0, mode: 0o600 };
	const { uid, gid, mode } = await deps.images.facts(model.path);
	return { uid, gid, mode: mode & MODE_BITS, like: model.path };
};

const freeFor = async (deps: JobDeps, places: readonly DiskPlace[]): Promise<number> => {
	const folders = new Set(
		places
			.filter(({ path }) => path !== "")
			.map(({ path }) => path.slice(0, path.lastIndexOf("/"))),
	);
	const rooms = await Promise.all([...folders].map((folder) => deps.images.space(folder)));
	return Math.min(Number.MAX_SAFE_INTEGER, ...rooms.map(({ free }) => free));
};

/** Everything that decides a restore in place, read once. `self`: the job that asks, whose id names the files set aside. Rejects with NOT_FOUND or AMBIGUOUS_ID for the backup's id, VM_NOT_FOUND when its VM is not on this host. */
export const gatherInPlace = async (
	deps: JobDeps,
	request: RestoreInPlaceRequest,
	self: string | undefined,
): Promise<InPlaceFacts> => {
	const { catalog, hypervisor, images } = deps;
	const view = await catalog.findBackup(request.backup);
	const vm = await requireVm(hypervisor, view.vm.uuid);
	const scope = { vm: vm.uuid };
	const [found, disks, chains, kept, parallelDisks, boot] = await Promise.all([
		findInRepository(deps, view),
		gatherDisks(images, vm),
		gatherChains(catalog, vm.uuid),
		findRecords(vm),
		catalog.setting("backup.copy.parallel.disks", scope),
		catalog.setting("backup.validation.boot.default.timeout", scope),
	]);
	const id = self ?? deps.ids.uuid();
	const places = found === null ? [] : await placesOf(deps, { vm, disks, found, id });
	return {
		request,
		id,
		view: { id: view.id, vm: view.vm, status: view.status },
		found,
		vm,
		disks,
		places,
		open: await openChainFacts(chains.read),
		strangers: await strangersOf(deps, vm, places),
		record: `${places[0]?.path ?? ""}.knib-old-${id}.json`,
		keptBefore: kept.filter(({ record }) => record.state === "kept").map(({ path }) => path),
		free: await freeFor(deps, places),
		owner: await ownerOf(deps, places),
		parallelDisks,
		agentDeadlineMs: settingMilliseconds("backup.validation.boot.default.timeout", boot),
		shutdownDeadlineMs: SHUTDOWN_MS,
		quick: await gatherQuick(deps, request.quick, found, vm.xml.inactive),
		consolidating: (await findQuick(vm)).length > 0,
	};
};

/** What undoing or confirming a VM's last restore in place depends on. Rejects with VM_NOT_FOUND, and VERIFY_FAILED for a record that cannot be read. */
export const gatherKept = async (deps: JobDeps, request: KeptDisksRequest): Promise<KeptFacts> => {
	const vm = await requireVm(deps.hypervisor, request.vm);
	const records = await findRecords(vm);
	const wanted = request.restore;
	const newest = records.find(({ record }) => wanted === undefined || record.id === wanted);
	if (newest === undefined) {
		throw new KnibError("NOT_FOUND", `no old disks of VM ${vm.name} are kept`);
	}
	const { path, record } = newest;
	const { backup, repository, state } = record;
	return {
		mode: request.mode,
		vm,
		kept: {
			record: path,
			backup,
			disks: record.disks.map((disk) => ({ target: disk.target, path: disk.path })),
			undone: state === "undone",
		},
		repository,
	};
};
