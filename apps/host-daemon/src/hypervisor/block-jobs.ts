// libvirt's block jobs on a VM that runs: merging, pulling, and ending what an earlier client left. Jobs are polled, since
// `virsh --wait` looks only twice a second, and a job goes on when its client dies (LAB 7).
import { type Clock, KnibError, type LongOperation } from "@knib/core";
import { disksOfDomain, sourceOf, targetOf } from "./domain-images.ts";
import { storedChain } from "./domain-rewrite.ts";
import { volumeKey } from "./domain-xml.ts";
import { virshArgv } from "./virsh-argv.ts";
import { stderrOf, type Virsh } from "./virsh-client.ts";
import { type BlockJob, parseBlockJob } from "./virsh-parse.ts";
import { resolveVolumes } from "./vm-picture.ts";
import { attributeOf, elementOf, parseXml } from "./xml-document.ts";

export type JobDeps = { readonly virsh: Virsh; readonly clock: Clock };

const POLL_FIRST_MS = 20;
const POLL_MOST_MS = 100;
/** How long a job that was told to end may take to vanish. */
const END_DEADLINE_MS = 60_000;

/** A copy that libvirt shows in the disk: where it goes to and whether it can be pivoted. */
export type Mirror = { readonly job: string; readonly path?: string; readonly ready: boolean };

/** A running disk: its images by libvirt's live definition, top first, and its copy. */
export type LiveDisk = { readonly chain: readonly string[]; readonly mirror?: Mirror };

/** Reads a disk of the live definition. Rejects with VM_STATE when the VM does not run. */
export const readLiveDisk = async (
	virsh: Virsh,
	uuid: string,
	target: string,
): Promise<LiveDisk> => {
	const xml = await virsh(virshArgv.dumpxml(uuid, "current"));
	const domain = parseXml(xml, "domain");
	if (attributeOf(domain, "id") === undefined) {
		throw new KnibError("VM_STATE", `the VM ${uuid} does not run`);
	}
	const volumes = await resolveVolumes(virsh, [xml]);
	const chain = storedChain(xml, target, volumes);
	const disk = disksOfDomain(domain).find((one) => targetOf(one) === target);
	const mirror = disk && elementOf(disk, "mirror");
	if (mirror === undefined) return { chain };
	const source = sourceOf(mirror);
	const path =
		source.kind === "volume"
			? volumes.get(volumeKey(source))?.path
			: "path" in source
				? source.path
				: undefined;
	const ready = attributeOf(mirror, "ready");
	return {
		chain,
		mirror: {
			job: attributeOf(mirror, "job") ?? "",
			ready: ready === "yes",
			...(path === undefined ? {} : { path }),
		},
	};
};

/** A VM that is off has no job. */
const jobOf = async (
	deps: JobDeps,
	uuid: string,
	target: string,
): Promise<BlockJob | undefined> => {
	try {
		return parseBlockJob(await deps.virsh(virshArgv.blockjob(uuid, target)));
	} catch (thrown) {
		if (/domain is not running/.test(stderrOf(thrown))) return undefined;
		throw thrown;
	}
};

/** Waits until the disk has no job. Rejects with DEADLINE. */
export const untilNoJob = async (deps: JobDeps, uuid: string, target: string): Promise<void> => {
	const until = deps.clock.monotonic() + END_DEADLINE_MS;
	while ((await jobOf(deps, uuid, target)) !== undefined) {
		if (deps.clock.monotonic() > until) {
			throw new KnibError("DEADLINE", `the block job of ${target} does not end`);
		}
		await deps.clock.sleep(POLL_FIRST_MS);
	}
};

/** Whether virsh failed since there is no job any more. */
const isNoJob = (thrown: unknown): boolean =>
	/no active (?:operation|block job)|No active block job|does not have an active block job|not found/i.test(
		stderrOf(thrown),
	);

const abort = async (deps: JobDeps, uuid: string, target: string): Promise<void> => {
	try {
		await deps.virsh(virshArgv.abort(uuid, target));
	} catch (thrown) {
		if (!isNoJob(thrown)) throw thrown;
	}
	await untilNoJob(deps, uuid, target);
};

/** Pivots when libvirt says that the copy is ready; false when it is not yet. */
export const tryPivot = async (deps: JobDeps, uuid: string, target: string): Promise<boolean> => {
	const { mirror } = await readLiveDisk(deps.virsh, uuid, target);
	if (mirror === undefined || !mirror.ready) return false;
	try {
		await deps.virsh(virshArgv.pivot(uuid, target));
		return true;
	} catch (thrown) {
		if (/not ready for pivot/i.test(stderrOf(thrown))) return false;
		throw thrown;
	}
};

/** Follows a disk's job until it has gone; `atEnd` is called each time it has copied all there is. The signal aborts the job: CANCELLED. */
export const followJob = async (
	deps: JobDeps,
	job: { readonly uuid: string; readonly target: string },
	options: LongOperation,
	atEnd: () => Promise<void> = () => Promise.resolve(),
): Promise<void> => {
	const { uuid, target } = job;
	for (let pause = POLL_FIRST_MS; ; pause = Math.min(POLL_MOST_MS, pause * 2)) {
		const state = await jobOf(deps, uuid, target);
		if (state === undefined) return;
		if (options.signal?.aborted === true) {
			await abort(deps, uuid, target);
			throw new KnibError("CANCELLED", `the block job of ${target} was cancelled`);
		}
		if (state.end > 0) options.onProgress?.(Math.min(1, state.cur / state.end));
		if (state.cur >= state.end) await atEnd();
		await deps.clock.sleep(pause);
	}
};

/** Ends a job that an earlier client left: pivots when it is ready and that is wanted, else aborts. No job: nothing. */
export const endJob = async (
	deps: JobDeps,
	uuid: string,
	target: string,
	how: "pivot" | "abort",
): Promise<void> => {
	if ((await jobOf(deps, uuid, target)) === undefined) return;
	if (how === "pivot" && (await tryPivot(deps, uuid, target))) {
		await untilNoJob(deps, uuid, target);
		return;
	}
	await abort(deps, uuid, target);
};

/** Pulls everything below the active image into it; a pull of an earlier client is taken up. `rate` in bytes per second, 0 = none. */
export const pullChain = async (
	deps: JobDeps,
	disk: { readonly uuid: string; readonly target: string; readonly rate: number },
	options: LongOperation = {},
): Promise<void> => {
	const { uuid, target } = disk;
	const depth = async () => (await readLiveDisk(deps.virsh, uuid, target)).chain.length;
	if ((await jobOf(deps, uuid, target)) === undefined) {
		if ((await depth()) <= 1) return;
		await deps.virsh(virshArgv.blockpull(uuid, target, disk.rate));
	}
	await followJob(deps, disk, options);
	if ((await depth()) > 1) {
		throw new KnibError("COMMAND_FAILED", `pulling ${target} ended before it was complete`);
	}
};
