// A repository on a file system: puts the pieces of this folder together behind core's port.
import { resolve } from "node:path";
import { KnibError, type Repository } from "@knib/core";
import { caring } from "./caring.ts";
import { parseChecksums } from "./checksums.ts";
import { createRepositoryFiles } from "./files.ts";
import { listHolds, placeHold } from "./holds.ts";
import { jsonText } from "./json-file.ts";
import { keepValidationFiles } from "./keep-validation.ts";
import { layoutOf } from "./layout.ts";
import { everyInterval, LEASE_MS, type LeaseDeps, takeLease } from "./lease.ts";
import { createLeaseFiles } from "./lease-file.ts";
import { writeMarks } from "./marks.ts";
import { proveLayers } from "./prove-layers.ts";
import { confirm, publish } from "./publish.ts";
import type { ChainSource } from "./read-chain.ts";
import { assertIdentity, type RepositoryFile, readRepositoryFile } from "./repository-file.ts";
import type { OpenOptions, RepositoryDeps } from "./repository-options.ts";
import { answerWithin, readRepositoryState } from "./repository-state.ts";
import { moveToTrash } from "./trash.ts";
import { findBackup, hasBackups, highestFencing, readChains, uuidsIn } from "./walk.ts";

/** What the parts of an open repository share. `here` rejects unless the directory still is this repository: its mount may have gone. */
type Opened = ChainSource & {
	readonly file: RepositoryFile;
	readonly deps: RepositoryDeps;
	readonly here: () => Promise<void>;
};

const leaseDeps = (deps: RepositoryDeps): LeaseDeps => ({
	clock: deps.clock,
	leaseMs: deps.leaseMs ?? LEASE_MS,
	every: deps.every ?? everyInterval,
	sightings: deps.sightings ?? new Map(),
});

const existingChain = async (opened: Opened, vm: string, chain: string): Promise<string> => {
	const directory = opened.layout.chain(vm, chain);
	if ((await opened.files.look(directory)) !== undefined) return directory;
	throw new KnibError("NOT_FOUND", `there is no chain ${chain} of VM ${vm} in the repository`);
};

const reading = (
	opened: Opened,
): Pick<Repository, "vms" | "chains" | "find" | "proveLayers" | "digests" | "holds"> => ({
	vms: async () => {
		await opened.here();
		const vms: string[] = [];
		for (const vm of await uuidsIn(opened, opened.layout.vms)) {
			if (await hasBackups(opened, vm)) vms.push(vm);
		}
		return vms;
	},
	chains: async (vm) => {
		await opened.here();
		return await readChains(opened, vm);
	},
	find: async (backup) => {
		await opened.here();
		return await findBackup(opened, backup);
	},
	proveLayers: (backup) => proveLayers(opened.files, backup),
	digests: async (backup) => {
		const path = `${opened.layout.backup(backup.manifest.identity)}/SHA256SUMS`;
		const sums = parseChecksums((await opened.files.readText(path)) ?? "");
		if (sums !== undefined && sums.size > 0) return sums;
		throw new KnibError("MANIFEST_INVALID", `${path} is missing or cannot be read`);
	},
	holds: async (vm, chain) => {
		await opened.here();
		return await listHolds(opened.files, opened.layout.holds(vm, chain));
	},
});

const guarding = (opened: Opened): Pick<Repository, "lease" | "hold"> => {
	const { files, layout, deps } = opened;
	const leases = createLeaseFiles(files);
	const needs = leaseDeps(deps);
	return {
		lease: async (vm, holder) => {
			await opened.here();
			const directory = layout.vm(vm);
			await files.makeDirectory(directory);
			const lowest = () => highestFencing(opened, vm);
			return await takeLease(leases, needs, { vm, directory, holder, lowest });
		},
		hold: async (vm, chain, holder) => {
			await opened.here();
			const place = { chain: layout.chain(vm, chain), directory: layout.holds(vm, chain) };
			return await placeHold(files, place, { ...holder, since: deps.clock.now() });
		},
	};
};

/** A backup made under a lease that somebody has taken since is not published. */
const assertFencing = async (opened: Opened, vm: string, fencing: number): Promise<void> => {
	const newest = await createLeaseFiles(opened.files).newest(opened.layout.vm(vm));
	if (newest === undefined || newest.fencing <= fencing) return;
	throw new KnibError(
		"LEASE_HELD",
		`the lease of VM ${vm} was taken by host ${newest.content?.holder ?? "unknown"} while the backup was made`,
		{ details: { vm, holder: newest.content?.holder, fencing: newest.fencing } },
	);
};

const publishing = (
	opened: Opened,
): Pick<Repository, "incoming" | "discard" | "publish" | "confirm" | "pathOf"> => {
	const { files, layout } = opened;
	return {
		incoming: async (backup) => {
			await opened.here();
			const path = layout.incomingBackup(backup);
			await files.makeDirectory(layout.incoming);
			await files.makeDirectory(path);
			return { path };
		},
		discard: async (backup) => {
			await opened.here();
			const path = layout.incomingBackup(backup);
			if ((await files.look(path)) !== undefined) await files.removeTree(path);
		},
		publish: async (manifest) => {
			await opened.here();
			const { vm, fencing } = manifest.identity;
			return await publish(opened, manifest, () => assertFencing(opened, vm, fencing));
		},
		confirm: async (manifest) => {
			await opened.here();
			return await confirm(opened, manifest);
		},
		pathOf: (identity) => layout.backup(identity),
	};
};

const recording = (
	opened: Opened,
): Pick<
	Repository,
	"writeTracker" | "endChain" | "writeMarks" | "keepValidation" | "moveToTrash"
> => {
	const { files, deps } = opened;
	return {
		writeTracker: async (vm, chain, facts) => {
			await opened.here();
			const directory = await existingChain(opened, vm, chain);
			await files.writeText(`${directory}/tracker.json`, jsonText(facts));
		},
		endChain: async (vm, chain, end) => {
			await opened.here();
			const directory = await existingChain(opened, vm, chain);
			// The first reason stands.
			await files.createText(`${directory}/ended.json`, jsonText(end));
		},
		writeMarks: async (backup, marks) => {
			await opened.here();
			await writeMarks(files, opened.layout.backup(backup.manifest.identity), marks);
		},
		keepValidation: async (backup, name, kept) => {
			await opened.here();
			const { path } = { path: opened.layout.backup(backup.manifest.identity) };
			await keepValidationFiles(files, path, name, kept);
		},
		moveToTrash: async (backup) => {
			await opened.here();
			return await moveToTrash(opened, deps.clock, backup);
		},
	};
};

/** Opens the repository in a directory. Rejects with REPOSITORY_INVALID (missing, no directory, empty because nothing is mounted, none of
 * knib's, another one than expected), REPOSITORY_FORMAT, REPOSITORY_UNREACHABLE. */
export const openRepository = async (options: OpenOptions): Promise<Repository> => {
	const { expectedId, path, ...deps } = options;
	const root = resolve(path);
	const layout = layoutOf(root);
	const files = createRepositoryFiles({ root, group: deps.qemuGroup, hook: deps.hook });
	const file = await answerWithin(root, readRepositoryFile(files, layout));
	if (expectedId !== undefined) assertIdentity(file, expectedId, root);
	const here = async (): Promise<void> =>
		assertIdentity(await readRepositoryFile(files, layout), file.id, root);
	const opened: Opened = { id: file.id, layout, files, file, deps, here };
	return {
		id: file.id,
		name: file.name,
		path: root,
		state: () =>
			answerWithin(
				root,
				here().then(() => readRepositoryState(layout, file.id)),
			),
		...reading(opened),
		...guarding(opened),
		...publishing(opened),
		...recording(opened),
		...caring(opened),
	};
};
