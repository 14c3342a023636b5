// How a file on a VM's storage ends (I11, SAFETY F6): only when no definition, snapshot or saved state names it, it could just be
// opened for writing, and its contents are proven elsewhere. It is renamed first, looked at once more, and left for a grace period.
import { asKnibError, type FileUse, isUseOf, KnibError } from "@knib/core";
import type { JobDeps } from "../context.ts";
import { GONE } from "../gone-files.ts";

type Deps = Pick<JobDeps, "hypervisor" | "images" | "retired">;

type File = { readonly path: string; readonly file: string | null };

const namedBy = (uses: readonly FileUse[], { path, file }: File): FileUse | undefined =>
	uses.find((use) => isUseOf(use, path, file));

const kept = (path: string, use: FileUse): KnibError =>
	new KnibError("REFUSED", `${path} is kept: ${use.where} of VM ${use.vm} names it`);

const setAside = async (deps: Deps, uses: readonly FileUse[], one: File): Promise<void> => {
	const { path } = one;
	const use = namedBy(uses, one);
	if (use !== undefined) throw kept(path, use);
	if (!(await deps.images.writable(path, "qcow2"))) {
		throw new KnibError("REFUSED", `${path} is kept: a program has it open`);
	}
	await deps.images.rename(path, `${path}${GONE}`);
};

const lookAgain = async (deps: Deps, uses: readonly FileUse[], one: File): Promise<void> => {
	const { path } = one;
	const use = namedBy(uses, one);
	if (use !== undefined) {
		await deps.images.rename(`${path}${GONE}`, path);
		throw kept(path, use);
	}
	deps.retired(`${path}${GONE}`);
};

/** Renames overlays aside after the proof that nothing needs them, and hands them over to be unlinked. The caller has shown that their contents are elsewhere, or that they never held any. A file that is gone already is success. Gives what is kept because something still names or uses it, with the reason. */
export const retireFiles = async (
	deps: Deps,
	vm: string,
	paths: readonly string[],
): Promise<readonly { readonly path: string; readonly reason: string }[]> => {
	const there: File[] = [];
	for (const path of paths) {
		if (await deps.images.exists(path))
			there.push({ path, file: await deps.images.identity(path) });
	}
	if (there.length === 0) return [];
	await deps.hypervisor.settle(vm).catch((thrown: unknown) => {
		// A VM that was undefined meanwhile has no call in flight.
		if (asKnibError(thrown).code !== "VM_NOT_FOUND") throw thrown;
	});
	const stays: { path: string; reason: string }[] = [];
	const aside: File[] = [];
	const before = await deps.hypervisor.fileUses();
	const keeps = (path: string, thrown: unknown): void => {
		stays.push({ path, reason: asKnibError(thrown).message });
	};
	for (const one of there) {
		await setAside(deps, before, one).then(
			() => aside.push(one),
			(thrown: unknown) => keeps(one.path, thrown),
		);
	}
	const after = await deps.hypervisor.fileUses();
	for (const one of aside) {
		await lookAgain(deps, after, one).catch((thrown: unknown) => keeps(one.path, thrown));
	}
	return stays;
};
