// How a file on a VM's storage ends (I11, SAFETY F6): only when no definition, snapshot or saved state names it, it could just be
// opened for writing, and its contents are proven elsewhere. It is renamed first, looked at once more, and left for a grace period.
import { type FileUse, KnibError } from "@knib/core";
import type { JobDeps } from "../context.ts";
import { GONE } from "../gone-files.ts";

type Deps = Pick<JobDeps, "hypervisor" | "images" | "retired">;

const namedBy = (uses: readonly FileUse[], path: string): FileUse | undefined =>
	uses.find((use) => use.path === path);

const kept = (path: string, use: FileUse): KnibError =>
	new KnibError("REFUSED", `${path} is kept: ${use.where} of VM ${use.vm} names it`);

/** Renames an overlay aside after the proof that nothing needs it, and hands it over to be unlinked. The caller has shown that its contents are elsewhere, or that it never held any. A file that is gone already is success. Rejects with REFUSED when something still names or uses it. */
export const retireFile = async (deps: Deps, vm: string, path: string): Promise<void> => {
	if (!(await deps.images.exists(path))) return;
	await deps.hypervisor.settle(vm);
	const before = namedBy(await deps.hypervisor.fileUses(), path);
	if (before !== undefined) throw kept(path, before);
	if (!(await deps.images.writable(path, "qcow2"))) {
		throw new KnibError("REFUSED", `${path} is kept: a program has it open`);
	}
	const gone = `${path}${GONE}`;
	await deps.images.rename(path, gone);
	const after = namedBy(await deps.hypervisor.fileUses(), path);
	if (after !== undefined) {
		await deps.images.rename(gone, path);
		throw kept(path, after);
	}
	deps.retired(gone);
};
