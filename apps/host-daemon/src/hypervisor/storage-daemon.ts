// A chain of images opened by a qemu-storage-daemon of our own, which holds qemu's write lock on the top image from before a merge
// until the caller is done: a VM that is started meanwhile is refused by qemu, cleanly (tried with qemu 7.2). Formats are explicit,
// files are named by their path alone (I9).
import { type Clock, type ImageInfo, KnibError, type LongOperation } from "@knib/core";
import { z } from "zod";
import { openQmp, type Qmp } from "./qmp.ts";
import type { Converse } from "./run-command.ts";

/** An image of a chain and how its file is opened. */
export type HeldImage = Pick<ImageInfo, "path" | "format"> & { readonly kind: "file" | "block" };

export type HeldChain = {
	/** Merges the images between into the one at `base`; positions count from the top. With `top` 0 the top image goes on being held, as a twin of the base. */
	commit(range: { top: number; base: number }, options?: LongOperation): Promise<void>;
	/** Gives the lock back. */
	close(): Promise<void>;
};

const JOB = "merge";
const POLL_FIRST_MS = 20;
const POLL_MOST_MS = 100;

const jobsSchema = z.array(
	z.looseObject({
		id: z.string(),
		status: z.string(),
		"current-progress": z.number(),
		"total-progress": z.number(),
		error: z.string().optional(),
	}),
);

type Job = z.infer<typeof jobsSchema>[number];

const nodeName = (position: number): string => `image-${position}`;

const openChain = async (qmp: Qmp, images: readonly HeldImage[]): Promise<void> => {
	for (const [position, image] of [...images.entries()].reverse()) {
		const isLast = position === images.length - 1;
		await qmp.execute("blockdev-add", {
			driver: image.format,
			"node-name": nodeName(position),
			"read-only": position > 0,
			...(image.format === "qcow2" ? { backing: isLast ? null : nodeName(position + 1) } : {}),
			file: {
				driver: image.kind === "block" ? "host_device" : "file",
				filename: image.path,
				"node-name": `${nodeName(position)}-file`,
				"auto-read-only": true,
			},
		});
	}
};

const findJob = async (qmp: Qmp): Promise<Job | undefined> => {
	const answer = jobsSchema.safeParse(await qmp.execute("query-jobs"));
	if (!answer.success) {
		throw new KnibError("COMMAND_FAILED", "qemu-storage-daemon's list of jobs cannot be read");
	}
	return answer.data.find((job) => job.id === JOB);
};

const finish = async (qmp: Qmp, job: Job, cancelled: boolean): Promise<void> => {
	await qmp.execute("job-dismiss", { id: JOB });
	if (cancelled) throw new KnibError("CANCELLED", "the merge was cancelled");
	if (job.error !== undefined) {
		throw new KnibError("COMMAND_FAILED", `the merge failed: ${job.error}`, {
			details: { stderr: job.error },
		});
	}
};

const report = (job: Job, options: LongOperation): void => {
	const total = job["total-progress"];
	if (total > 0) options.onProgress?.(Math.min(1, job["current-progress"] / total));
};

const followJob = async (qmp: Qmp, clock: Clock, options: LongOperation): Promise<void> => {
	let cancelled = false;
	for (let pause = POLL_FIRST_MS; ; pause = Math.min(POLL_MOST_MS, pause * 2)) {
		const job = await findJob(qmp);
		if (job === undefined) throw new KnibError("COMMAND_FAILED", "the merge vanished");
		if (job.status === "concluded") return finish(qmp, job, cancelled);
		report(job, options);
		if (options.signal?.aborted === true && !cancelled) {
			cancelled = true;
			await qmp.execute("block-job-cancel", { device: JOB, force: true });
		} else if (job.status === "ready" && !cancelled) {
			await qmp.execute("job-complete", { id: JOB });
		}
		await clock.sleep(pause);
	}
};

/** Opens a chain, top first, and holds it for writing. Rejects with VM_BUSY when somebody else uses an image of it. */
export const holdChain = async (
	deps: { readonly converse: Converse; readonly clock: Clock },
	images: readonly HeldImage[],
): Promise<HeldChain> => {
	const qmp = await openQmp(deps.converse, [
		"qemu-storage-daemon",
		"--chardev",
		"stdio,id=monitor",
		"--monitor",
		"chardev=monitor",
	]);
	try {
		await openChain(qmp, images);
	} catch (thrown) {
		await qmp.close();
		if (thrown instanceof KnibError && /Failed to get .*lock/.test(thrown.message)) {
			throw new KnibError("VM_BUSY", `an image of the chain is in use: ${thrown.message}`, {
				cause: thrown,
			});
		}
		throw thrown;
	}
	return {
		close: () => qmp.close(),
		commit: async ({ top, base }, options = {}) => {
			const baseImage = images[base];
			if (baseImage === undefined || top < 0 || base <= top) {
				throw new KnibError("INTERNAL", `no merge of image ${top} into image ${base}`);
			}
			await qmp.execute("block-commit", {
				"job-id": JOB,
				device: nodeName(0),
				"base-node": nodeName(base),
				...(top === 0 ? {} : { "top-node": nodeName(top), "backing-file": baseImage.path }),
				"auto-dismiss": false,
			});
			await followJob(qmp, deps.clock, options);
		},
	};
};
