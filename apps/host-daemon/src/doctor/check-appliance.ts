// What reading files out of backups needs of this host beside qemu. Without it everything else works, so nothing here is a failure.
import { access, constants, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Check, type CheckDeps, type Finding, ok, warning } from "./check.ts";
import { findProgram } from "./check-programs.ts";

const NAME = "files in backups";

const canRead = (path: string): Promise<boolean> =>
	access(path, constants.R_OK).then(
		() => true,
		() => false,
	);

/** Whether libguestfs finds a kernel that it may read, with its modules. */
const hasKernel = async (env: CheckDeps["env"], root: string): Promise<boolean> => {
	const named = env["SUPERMIN_KERNEL"];
	if (named !== undefined) return await canRead(named);
	const boot = join(root, "boot");
	const modules = join(root, "lib/modules");
	const kernels = (await readdir(boot).catch(() => []))
		.filter((name) => name.startsWith("vmlinuz"))
		.map((name) => join(boot, name));
	const beside = (await readdir(modules).catch(() => [])).map((one) =>
		join(modules, one, "vmlinuz"),
	);
	const readable = await Promise.all([...kernels, ...beside].map(canRead));
	return readable.includes(true);
};

/** Files can be listed and extracted: guestfish is there, and a kernel for its appliance. `root` is for tests. */
export const checkAppliance = async (
	{ env }: Pick<CheckDeps, "env">,
	root = "/",
): Promise<readonly Finding[]> => {
	const apt = (await findProgram("dnf", env)) === undefined;
	if ((await findProgram("guestfish", env)) === undefined) {
		const fix = apt ? "apt-get install guestfish" : "dnf install guestfs-tools";
		return [warning(NAME, "they cannot be read: guestfish is not installed", fix)];
	}
	if (!(await hasKernel(env, root))) {
		const fix = apt ? "apt-get install linux-image-amd64" : "dnf install kernel-core";
		const why = `no kernel for libguestfs' appliance can be read in ${join(root, "boot")}`;
		return [warning(NAME, `they cannot be read: ${why}`, fix)];
	}
	return [ok(NAME, "guestfish and a kernel for its appliance are there")];
};

/** {@link checkAppliance} as a check of this host. */
export const checkFiles: Check = (deps) => checkAppliance(deps);
