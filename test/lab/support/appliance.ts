// libguestfs' appliance in the lab: its kernel comes from a package, since the machine may have none.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { labScript } from "./lab.ts";
import { run } from "./run.ts";

/** What libguestfs must find in the environment of whoever starts it. */
export const applianceEnvironment = async (): Promise<Readonly<Record<string, string>>> => {
	const directory = await labScript("appliance");
	const [version = ""] = await readdir(join(directory, "modules"));
	return {
		SUPERMIN_KERNEL: join(directory, "vmlinuz"),
		SUPERMIN_MODULES: join(directory, "modules", version),
	};
};

/** Runs a guestfish script over a raw image; any failure throws. */
export const guestfish = async (image: string, lines: readonly string[]): Promise<string> => {
	const environment = await applianceEnvironment();
	const script = ["set-backend-setting force_tcg 1", `add-drive ${image} format:raw`, "run"];
	const { stdout } = await run(["guestfish"], {
		input: `${[...script, ...lines].join("\n")}\n`,
		env: { ...environment, LIBGUESTFS_BACKEND: "direct" },
		timeoutMs: 600_000,
	});
	return stdout;
};
