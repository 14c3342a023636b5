// The real DiskImages: qemu-img, qemu-io's lock, and the file system.
import { stat } from "node:fs/promises";
import { type DiskImages, KnibError } from "@knib/core";
import { isDeviceUsed } from "./device-users.ts";
import {
	attempt,
	fileExists,
	identityOf,
	renameFile,
	spaceIn,
	syncFile,
	unlinkFile,
} from "./files.ts";
import { imageChain, imageInfo, imagesBeside } from "./image-chain.ts";
import { hashFile, readFacts } from "./image-facts.ts";
import { absolutePath, isPlainBackingName } from "./image-path.ts";
import { convertImage, copyAcl, createOverlay, longRun } from "./new-image.ts";
import { qemuImgArgv, topOnlyName } from "./qemu-img-argv.ts";
import { parseCompare, parseMap } from "./qemu-img-parse.ts";
import { readAhead } from "./read-ahead.ts";
import { type Run, textOf } from "./run-command.ts";

const LOCK_DEADLINE_MS = 60_000;

const kindOf = async (path: string): Promise<"file" | "block"> =>
	(await attempt(`could not read ${path}`, () => stat(path))).isBlockDevice() ? "block" : "file";

/** Pieces of a comparison's output that are kept: progress, and at the end what differs. */
const KEPT_PIECES = 64;

const compareImages =
	(run: Run): DiskImages["compare"] =>
	async (a, b, options = {}) => {
		// qemu-img calls images of different sizes the same when the rest is zero; a guest does not.
		const [one, other] = await Promise.all(
			[a, b].map(({ path, format }) => imageInfo(run, path, format)),
		);
		if (one?.virtualSize !== other?.virtualSize) {
			const message = `virtual sizes differ: ${one?.virtualSize} and ${other?.virtualSize} bytes`;
			return { identical: false, message };
		}
		const argv =
			options.topOnly === true
				? qemuImgArgv.compareNames(
						topOnlyName(a, await kindOf(a.path)),
						topOnlyName(b, await kindOf(b.path)),
					)
				: qemuImgArgv.compare(a, b);
		const said: string[] = [];
		const ahead = readAhead([a.path, b.path]);
		const long = longRun({
			...options,
			onProgress: (fraction) => {
				ahead.reached(fraction);
				options.onProgress?.(fraction);
			},
		});
		// 1 is "they differ".
		try {
			const { exitCode } = await run(argv, {
				...long,
				accept: [1],
				onOutput: (text) => {
					said.push(text);
					if (said.length > KEPT_PIECES) said.shift();
					long.onOutput?.(text);
				},
			});
			return { identical: exitCode === 0, message: parseCompare(said.join("")) };
		} finally {
			await ahead.stop();
		}
	};

/** `qemu-img check`: 2 is corrupt, 3 has leaks. */
const CHECK_ANSWERS = [2, 3];

const checkImage =
	(run: Run): DiskImages["check"] =>
	async (path) => {
		const result = await run(qemuImgArgv.check(path), {
			tied: true,
			background: true,
			accept: CHECK_ANSWERS,
			overflow: "truncate",
			maximumOutput: 8192,
		});
		return {
			ok: result.exitCode === 0,
			message: `${textOf(result)}${result.stderr}`.trim(),
		};
	};

const lockIsFree =
	(run: Run): DiskImages["writable"] =>
	async (path) => {
		try {
			await run(qemuImgArgv.probeLock(path), { deadlineMs: LOCK_DEADLINE_MS });
			return (await kindOf(path)) === "file" || !(await isDeviceUsed(path));
		} catch (thrown) {
			const stderr = thrown instanceof KnibError ? String(thrown.details["stderr"]) : "";
			if (/Failed to get .*lock/.test(stderr)) return false;
			throw thrown;
		}
	};

const commitFile =
	(run: Run): DiskImages["commitFile"] =>
	async (path) => {
		// Refuses what must not be opened before qemu opens it.
		await imageChain(run, path, "qcow2");
		await run(qemuImgArgv.commit(path), { tied: true, background: true });
	};

const rebaseUnsafe =
	(run: Run): DiskImages["rebaseUnsafe"] =>
	async (path, backing) => {
		if (!isPlainBackingName(backing.path)) {
			throw new KnibError("REFUSED", `${JSON.stringify(backing.path)} is no plain file name`);
		}
		await run(qemuImgArgv.rebase(path, { name: backing.path, format: backing.format }));
	};

/** The real {@link DiskImages}. The backing name that `rebaseUnsafe` writes may be relative to the image. */
export const createDiskImages = ({ run }: { readonly run: Run }): DiskImages => ({
	info: (path, format) => imageInfo(run, path, format),
	chain: (path, format) => imageChain(run, path, format),
	facts: (path) => readFacts(run, path),
	identity: (path) => attempt(`could not read ${path}`, () => identityOf(absolutePath(path))),
	createOverlay: createOverlay(run),
	copyAcl: copyAcl(run),
	convert: convertImage(run),
	commitFile: commitFile(run),
	map: async (path, format) =>
		parseMap(textOf(await run(qemuImgArgv.map({ path, format }), { tied: true }))),
	compare: compareImages(run),
	check: checkImage(run),
	rebaseUnsafe: rebaseUnsafe(run),
	resize: async (path, format, size) => {
		await run(qemuImgArgv.resize({ path, format }, size));
	},
	writable: lockIsFree(run),
	imagesBeside,
	space: spaceIn,
	sync: syncFile,
	hash: hashFile,
	exists: fileExists,
	rename: renameFile,
	unlink: unlinkFile,
});
