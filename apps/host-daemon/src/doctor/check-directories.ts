import { access, chmod, constants, mkdir, stat, statfs } from "node:fs/promises";
import { type Check, type Finding, failure, ok, warning, wordsOf } from "./check.ts";

const GIB = 1024 ** 3;
const STATE_FREE = GIB / 4;
const SCRATCH_FREE = 2 * GIB;

const modeOf = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");

const space = async (path: string): Promise<number> => {
	const { bavail, bsize } = await statfs(path);
	return bavail * bsize;
};

type Wanted = {
	readonly name: string;
	readonly path: string;
	readonly mode: number;
	readonly free: number;
};

const missing = ({ name, path, mode }: Wanted): Finding => ({
	...failure(name, `${path} does not exist`, `mkdir -p -m ${modeOf(mode)} ${path}`),
	mend: async () => {
		await mkdir(path, { recursive: true, mode });
	},
});

/** A directory of knib's own: there, closed or open as it must be, writable, with room. */
const checkDirectory = async (wanted: Wanted): Promise<readonly Finding[]> => {
	const { name, path, mode, free } = wanted;
	const facts = await stat(path).catch((error: unknown) => error);
	if (facts instanceof Error) {
		const gone = "code" in facts && facts.code === "ENOENT";
		return [gone ? missing(wanted) : failure(name, `${path} cannot be read: ${wordsOf(facts)}`)];
	}
	const { mode: found } = await stat(path);
	if ((found & 0o077 & ~mode) !== 0) {
		const open: Finding = {
			...failure(
				name,
				`${path} has mode ${modeOf(found)}: others can read it`,
				`chmod ${modeOf(mode)} ${path}`,
			),
			mend: () => chmod(path, mode),
		};
		return [open];
	}
	try {
		await access(path, constants.W_OK | constants.X_OK);
	} catch {
		return [failure(name, `${path} cannot be written by this user`, "run as root")];
	}
	const left = await space(path);
	const words = `${path}, ${(left / GIB).toFixed(1)} GiB free`;
	return [
		left < free ? warning(name, `${words}: that is little`, "free space there") : ok(name, words),
	];
};

/** The state directory: keys and the store lie in it, so nobody else may enter. */
export const checkStateDirectory: Check = ({ config }) =>
	checkDirectory({ name: "state directory", path: config.stateDir, mode: 0o700, free: STATE_FREE });

/** The scratch directory: qemu's user must get at the overlays in it. */
export const checkScratchDirectory: Check = ({ config }) =>
	checkDirectory({
		name: "scratch directory",
		path: config.scratch,
		mode: 0o711,
		free: SCRATCH_FREE,
	});
