// How a file on a VM's storage ends (I11, SAFETY F6): only when no definition, snapshot or saved state names it, it could just be
// opened for writing, and its contents are proven elsewhere. It is renamed first, looked at once more, and left for a grace period.
import { type DiskImages, type FileUse, type Hypervisor, KnibError } from "@knib/core";

/** Ending of a file that waits for its grace period to pass. */
export const GONE = ".knib-gone";

type Deps = { readonly hypervisor: Hypervisor; readonly images: DiskImages };

const namedBy = (uses: readonly FileUse[], path: string): FileUse | undefined =>
	uses.find((use) => use.path === path);

/** Renames an overlay aside after the proof that nothing needs it. The caller has shown that its contents are elsewhere, or that it never held any. A file that is gone already is success. Rejects with REFUSED when something still names or uses it. */
export const retireFile = async (deps: Deps, vm: string, path: string): Promise<void> => {
	if (!(await deps.images.exists(path))) return;
	await deps.hypervisor.settle(vm);
	const before = namedBy(await deps.hypervisor.fileUses(), path);
	if (before !== undefined) {
		throw new KnibError("REFUSED", `${path} is kept: ${before.where} of VM ${before.vm} names it`);
	}
	if (!(await deps.images.writable(path, "qcow2"))) {
		throw new KnibError("REFUSED", `${path} is kept: a program has it open`);
	}
	const gone = `${path}${GONE}`;
	await deps.images.rename(path, gone);
	const after = namedBy(await deps.hypervisor.fileUses(), path);
	if (after !== undefined) {
		await deps.images.rename(gone, path);
		throw new KnibError("REFUSED", `${path} is kept: ${after.where} of VM ${after.vm} names it`);
	}
};

/** Unlinks files whose grace period has passed. Only files that carry the ending of a retired overlay. */
export const sweepFile = async (deps: Deps, gone: string): Promise<void> => {
	if (!gone.endsWith(GONE) || !(await deps.images.exists(gone))) return;
	await deps.images.unlink(gone);
};
