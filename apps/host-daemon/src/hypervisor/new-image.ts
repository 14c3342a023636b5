// New image files: overlays and copies. Each grows under another name and gets its own by a link that overwrites nothing, so a
// file with the wanted name is always whole.
import { chmod, chown, lstat, stat } from "node:fs/promises";
import { type DiskImages, KnibError, type LongOperation } from "@knib/core";
import { isMissingProgram } from "./command-argv.ts";
import { attempt, fileExists, partName, renameFile, syncFile, unlinkFile } from "./files.ts";
import { absolutePath } from "./image-path.ts";
import { type ConvertArguments, qemuImgArgv } from "./qemu-img-argv.ts";
import { parseProgress } from "./qemu-img-parse.ts";
import { type CommandOptions, isNoSpace, type Run, textOf } from "./run-command.ts";

const CREATE_DEADLINE_MS = 60_000;

/** Lets `write` make a file under a passing name and gives it its own; nothing is left behind when it fails. Rejects with EXISTS. */
const makeFile = async (path: string, write: (part: string) => Promise<void>): Promise<void> => {
	if (await fileExists(absolutePath(path))) throw new KnibError("EXISTS", `${path} exists already`);
	const part = partName(path);
	// What a killed process left of the same file.
	await unlinkFile(part);
	try {
		await write(part);
		await renameFile(part, path);
	} catch (thrown) {
		await unlinkFile(part);
		throw thrown;
	}
};

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : "");

/** The real `copyAcl`, where the tools for it are installed. */
export const copyAcl =
	(run: Run): DiskImages["copyAcl"] =>
	async (from, to) => {
		try {
			const acl = textOf(await run(["getfacl", "--absolute-names", "--omit-header", "--", from]));
			// A plain file has just its three mode lines; chmod has set those.
			if (acl.split("\n").some((line) => /^(user|group):[^:]+:|^mask:/.test(line))) {
				await run(["setfacl", "--set-file=/dev/stdin", "--", to], { input: acl });
			}
		} catch (thrown) {
			if (isMissingProgram(thrown) || /not supported/i.test(messageOf(thrown))) return;
			throw thrown;
		}
	};

/** Owner, mode, ACL and SELinux label of a disk for a new file beside it (SAFETY F12). */
const dressLike = async (run: Run, like: string, path: string): Promise<void> => {
	const model = await attempt(`could not read ${like}`, () => stat(absolutePath(like)));
	try {
		await chown(path, model.uid, model.gid);
		await chmod(path, model.mode & 0o777);
	} catch (cause) {
		throw new KnibError("REFUSED", `a new file cannot be given the owner of ${like}`, { cause });
	}
	if (model.isFile()) await copyAcl(run)(like, path);
	if (await fileExists("/sys/fs/selinux/enforce")) {
		await run(["chcon", `--reference=${like}`, "--", path]);
	}
};

const noSpace = (path: string, cause: unknown): KnibError =>
	new KnibError("STORAGE_NO_SPACE", `no space for the overlay ${path}`, { cause });

/** The real `createOverlay`: sub-clusters where qemu knows them. The file is durable when this resolves. */
export const createOverlay =
	(run: Run): DiskImages["createOverlay"] =>
	(overlay) =>
		makeFile(overlay.path, async (part) => {
			const create = (extendedL2: boolean) =>
				run(qemuImgArgv.create({ ...overlay, path: part, extendedL2 }), {
					deadlineMs: CREATE_DEADLINE_MS,
				});
			try {
				await create(overlay.subclusters !== false);
			} catch (thrown) {
				if (isNoSpace(thrown)) throw noSpace(overlay.path, thrown);
				if (!/extended_l2/.test(messageOf(thrown))) throw thrown;
				await create(false);
			}
			if (overlay.like !== undefined) await dressLike(run, overlay.like, part);
			await syncFile(part);
		});

/** Options of a copy: low priority, dies with this process, reports `-p`'s progress. */
export const longRun = (options: LongOperation | undefined): CommandOptions => ({
	background: true,
	tied: true,
	...(options?.signal === undefined ? {} : { signal: options.signal }),
	onOutput: (text) => {
		const fraction = parseProgress(text);
		if (fraction !== undefined) options?.onProgress?.(fraction);
	},
});

/** Words of qemu and the kernel for a file system that cannot do without its page cache. */
const NO_DIRECT = /O_DIRECT|direct I\/O|Invalid argument/i;

/** The real `convert`. Without the page cache where both sides can (measured: LAB 5), else with it. Compressed clusters are small and lie
 * anywhere: without the page cache each is a write of its own that the disk is waited for (measured: ADR 4). */
export const convertImage =
	(run: Run): DiskImages["convert"] =>
	(job, options) =>
		makeFile(job.target.path, async (part) => {
			const convert = (direct: boolean) => {
				const parts: ConvertArguments = { ...job, target: { ...job.target, path: part }, direct };
				return run(qemuImgArgv.convert(parts), longRun(options));
			};
			const direct = job.target.compression === undefined;
			try {
				await convert(direct);
			} catch (thrown) {
				if (!direct || !NO_DIRECT.test(messageOf(thrown))) throw thrown;
				await unlinkFile(part);
				await convert(false);
			}
			const { size } = await attempt(`could not read ${part}`, () => lstat(part));
			if (size === 0)
				throw new KnibError("COMMAND_FAILED", `the copy of ${job.source.path} is empty`);
		});
