import { chmod, mkdir, stat } from "node:fs/promises";
import { KnibError } from "@knib/core";

/** Makes the state directory, closed to other users, or checks that it is one. Repeatable; throws STORE_FAILED. True when it was made. */
export const prepareStateDirectory = async (path: string): Promise<boolean> => {
	try {
		const made = await mkdir(path, { recursive: true, mode: 0o700 });
		const facts = await stat(path);
		if (!facts.isDirectory()) throw new Error("not a directory");
		if ((facts.mode & 0o077) !== 0) await chmod(path, 0o700);
		return made !== undefined;
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		throw new KnibError("STORE_FAILED", `the state directory ${path} cannot be used: ${why}`, {
			cause: error,
			details: { hint: "check its permissions, or name another with stateDir or KNIB_STATE_DIR" },
		});
	}
};

/** Makes the scratch directory; qemu's user must get through to the overlays in it. Repeatable; throws STORE_FAILED. True when it was made. */
export const prepareScratchDirectory = async (path: string): Promise<boolean> => {
	try {
		return (await mkdir(path, { recursive: true, mode: 0o711 })) !== undefined;
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		throw new KnibError("STORE_FAILED", `the scratch directory ${path} cannot be made: ${why}`, {
			cause: error,
			details: {
				hint: "check its permissions, or name another with scratchDir or KNIB_SCRATCH_DIR",
			},
		});
	}
};
