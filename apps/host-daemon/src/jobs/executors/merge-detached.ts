// Merges the overlay of a disk that has left its VM into the file below it (SPEC 2.7). No definition stands on it, so that qemu's lock, and
// the proof that nobody names either file, are all that there is: what is in doubt stays as it is, with a warning.
import { asKnibError, type DetachedPlan, fileDiffers, isUseOf, KnibError } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { GONE } from "../gone-files.ts";
import { uncoverBases } from "./cover-bases.ts";
import { retireFiles } from "./retire-file.ts";

const refused = (why: string): KnibError => new KnibError("REFUSED", why);

/** The overlay is the one that was tracked, stands on the base, and holds nothing but data. */
const assertOverlay = async ({ deps }: StepContext, plan: DetachedPlan): Promise<void> => {
	const { overlay, base } = plan;
	const { inode, fileSystem } = await deps.images.facts(overlay.path);
	if (inode !== overlay.inode || fileSystem !== overlay.fileSystem)
		throw refused("it was replaced");
	const info = await deps.images.info(overlay.path, "qcow2");
	if (info.backing?.path !== base.path) throw refused(`it does not stand on ${base.path}`);
	if (info.snapshots.length > 0) throw refused("it holds an internal snapshot of the operator");
	if (info.dataFile !== undefined) throw refused("it has an external data file");
};

/** No VM, snapshot, saved state or image beside them uses the overlay or the base, and no program has the overlay open. */
const assertUnused = async ({ deps }: StepContext, plan: DetachedPlan): Promise<void> => {
	const { images, hypervisor } = deps;
	const paths = [plan.overlay.path, plan.base.path];
	const uses = await hypervisor.fileUses();
	for (const path of paths) {
		const file = await images.identity(path);
		const use = uses.find((one) => isUseOf(one, path, file));
		if (use !== undefined) throw refused(`${path} is used (${use.where} of ${use.vm})`);
	}
	for (const { path, backing } of await images.imagesBeside(plan.base.path)) {
		if (path === plan.overlay.path || path.endsWith(GONE) || backing === null) continue;
		if (paths.includes(backing)) throw refused(`${path} stands on ${backing}`);
	}
	if (!(await images.writable(plan.overlay.path, "qcow2"))) throw refused("a program has it open");
};

/** The base is the file that the tracker recorded; not asked when this very merge had begun before. */
const assertBase = async (context: StepContext, { base }: DetachedPlan): Promise<void> => {
	if (context.repeated) return;
	const differs = fileDiffers(await context.deps.images.facts(base.path), base);
	if (differs !== undefined) throw refused(`${base.path} ${differs}`);
};

const mergeOne = async (context: StepContext, plan: DetachedPlan): Promise<void> => {
	const { deps, log } = context;
	const { uuid } = context.plan.vm;
	if (!(await deps.images.exists(plan.overlay.path))) return;
	await assertOverlay(context, plan);
	await assertUnused(context, plan);
	await assertBase(context, plan);
	await deps.images.commitFile(plan.overlay.path);
	log("info", `the overlay of ${plan.target} was merged into ${plan.base.path}`);
	await uncoverBases(context, uuid, [plan.overlay.path]);
	const [stays] = await retireFiles(deps, uuid, [plan.overlay.path]);
	if (stays !== undefined) throw refused(`it was merged and ${stays.reason}`);
};

/** Each disk by itself; what cannot be merged now stays beside the base, which libvirt's hook goes on guarding. */
export const mergeDetached: Executor<"merge-detached"> = {
	run: async (step, context) => {
		const warnings: string[] = [];
		for (const plan of step.disks) {
			await mergeOne(context, plan).catch((thrown: unknown) => {
				const { message } = asKnibError(thrown);
				const { target, overlay } = plan;
				warnings.push(
					`the overlay ${overlay.path} of ${target}, which has left the VM, stays: ${message}; merge it with \`qemu-img commit -f qcow2\` before you use the disk`,
				);
			});
		}
		return { warnings };
	},
};
